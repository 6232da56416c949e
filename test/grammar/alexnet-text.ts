/**
 * A spec with everything the language has, for tests that must not change when the shipped specs
 * do.
 */
export const ALEXNET_TEXT = `/// AlexNet, torchvision's single-tower variant (arXiv:1404.5997).
const rgb_mean = [0.485, 0.456, 0.406]
const rgb_std  = [0.229, 0.224, 0.225]

model AlexNet(classes: int = 1000) {
  input  image: f32[N, 3, 224, 224]
  target label: u32[N] in 0..classes

  features {
    conv(64, kernel=11, stride=4, padding=2) -> relu -> maxpool(3, stride=2)
    conv(192, kernel=5, padding=2)           -> relu -> maxpool(3, stride=2)
    conv(384, kernel=3, padding=1)           -> relu
    conv(256, kernel=3, padding=1)           -> relu
    conv(256, kernel=3, padding=1)           -> relu -> maxpool(3, stride=2)
  }
  classifier {
    flatten
    dropout(0.5) -> linear(4096) as fc6 -> relu
    dropout(0.5) -> linear(4096) as fc7 -> relu
    linear(classes) as logits
  }

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
  metric top5 = accuracy(logits, label, k=5)
}

data ImageNet for AlexNet {
  train folder("data/imagenet/train") {
    random_resized_crop(224, scale=[0.08, 1.0]) -> hflip(0.5)
      -> normalize(mean=rgb_mean, std=rgb_std)
  }
  eval folder("data/imagenet/val") {
    resize(256) -> center_crop(224) -> normalize(mean=rgb_mean, std=rgb_std)
  }
}

train Base of AlexNet on ImageNet {
  epochs    = 90
  batch     = 128
  optimizer = sgd(lr=0.01, momentum=0.9, weight_decay=5e-4)
  schedule  = warmup(5 epochs) -> step(every=30 epochs, gamma=0.1)
  seed      = 42
}

train Flowers of AlexNet(classes=102) on Flowers102 {      // transfer learning
  weights   = load("alexnet.safetensors", except=[classifier.logits.*])
  freeze    = [features.*]
  epochs    = 30
  batch     = 64
  optimizer = sgd(lr=1e-3, momentum=0.9)
  schedule  = cosine(to=0)
}
`;
