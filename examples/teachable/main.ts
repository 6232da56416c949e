import { createTeachable } from "./teachable.js";

const all = <T extends keyof HTMLElementTagNameMap>(tag: T) => [...document.querySelectorAll(tag)];
const [[video], [output], [tried, taught, ...files]] = [all("video"), all("output"), all("input")];
onerror = onunhandledrejection = (e: unknown) => (output.value = `${Object(e).reason ?? e}`);

// Pretrained features, and a new head for the classes of the page.
const net = await createTeachable({ classes: all("legend").map((e) => e.textContent) });
await net.load("features.safetensors", { except: ["head.logits.weight", "head.logits.bias"] });

// Pictures that were shown, with the numbers of their classes.
const shown: [picture: ImageBitmap, label: number][] = [];
const show = async (source: ImageBitmapSource, label: number) =>
  shown.push([await createImageBitmap(source, { resizeHeight: 64 }), label]);
taught.onchange = () => net.load(taught.files![0]);
files.forEach((e, label) => (e.onchange = () => [...e.files!].forEach((f) => show(f, label))));
navigator.mediaDevices.getUserMedia({ video: true }).then((camera) => (video.srcObject = camera));
all("a")[0].onclick = async () => {
  const href = URL.createObjectURL(new Blob([await net.save()]));
  Object.assign(document.createElement("a"), { href, download: "taught.safetensors" }).click();
};

// For each frame: name the live picture, and take one step on 16 of those that were shown.
for (; ; await new Promise(requestAnimationFrame)) {
  const live = tried.files![0] ?? (video.currentTime > 0 && video);
  all("button").forEach((e, label) => live && e.matches(":active") && show(live, label));
  for (const e of live ? await net.classify(live) : []) all("meter")[e.index].value = e.probability;
  if (shown.length === 0) continue;
  const batch = Array.from({ length: 16 }, () => shown[Math.floor(Math.random() * shown.length)]);
  const [pictures, labels] = [batch.map((e) => e[0]), batch.map((e) => e[1])];
  output.value = `${(100 * (await net.step(pictures, labels)).top1).toFixed()}%`;
}
