#!/bin/sh
# Pretrains a network with PyTorch, continues with it in netc on other classes, and exports it.
#
#   examples/transfer-learning/run.sh PHOTOS [DIR]
#
# PHOTOS   train/CLASS/*.jpg and test/CLASS/*.jpg, images of 32 x 32 pixels, as those of CIFAR-10
# DIR      the folder to work in (default: transfer-learning); it must be new
# NETC     the command line of netc (default: npx netc)
# PYTHON   a Python with torch, numpy and Pillow (default: python3)
# OLD      classes to pretrain on, with commas: six, as network.net says
# NEW      classes to fine-tune on: four, as finetune.net says
# MANY FEW TESTED EPOCHS
#          images of each old class, of each new one, and for evaluation; PyTorch's epochs
set -eu
[ $# -ge 1 ] || { echo "usage: run.sh PHOTOS [DIR]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
photos=$(cd "$1" && pwd)
folder=${2:-transfer-learning}
netc=${NETC:-npx netc}
old=${OLD:-airplane,automobile,bird,cat,deer,frog}
new=${NEW:-dog,horse,ship,truck}
mkdir "$folder"
cd "$folder"
cp "$here"/*.net .

say() { printf '\n== %s\n' "$1"; }

# The first images of each new class, in folders that netc reads.
few() {
  for class in $(echo "$new" | tr , ' '); do
    mkdir -p "few/$1/$class"
    find "$photos/$1/$class" -type f | sort | head -n "$2" | while read -r image; do
      cp "$image" "few/$1/$class"
    done
  done
}

say "PyTorch trains on $old"
"${PYTHON:-python3}" "$here/pretrain.py" "$photos/train" pretrained.pth --classes "$old" \
  --per-class "${MANY:-1000}" --epochs "${EPOCHS:-6}"

say "netc reads its weights"
$netc import network.net pretrained.pth -o .

say "netc trains a new head on $new"
few train "${FEW:-50}"
few test "${TESTED:-200}"
$netc train finetune.net --train Finetune --out runs/finetune

say "the same images without PyTorch's weights"
$netc train finetune.net --train Scratch --out runs/scratch

say "ONNX"
$netc export finetune.net --train Finetune --weights runs/finetune/best.safetensors \
  --to onnx --softmax --with-preprocessing -o finetune.onnx
$netc predict finetune.net --train Finetune --weights runs/finetune/best.safetensors \
  few/test --json > predicted.json
node "$here/check.mjs" finetune.onnx predicted.json
