/** Pictures of one color, of any size, as files in class folders. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";

export interface Painted {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue, 0 to 255. */
  readonly color: readonly [number, number, number];
  readonly orientation?: number;
}

export function paint({ width, height, color, orientation }: Painted): Promise<Buffer> {
  const [r, g, b] = color;
  const picture = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
  return (orientation ? picture.withMetadata({ orientation }) : picture)
    .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, Painted | Uint8Array | string>>,
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, isPainted(content) ? await paint(content) : content);
  }
  return directory;
}

const isPainted = (content: Painted | Uint8Array | string): content is Painted =>
  typeof content === "object" && "color" in content;

/** `count` pictures in a class folder, each of another shade of gray plus `tint` in red. */
export function shades(
  folder: string,
  count: number,
  { size = 40, height, tint = 0 }: { size?: number; height?: number; tint?: number } = {},
): Record<string, Painted> {
  const pictures = Array.from({ length: count }, (_, index): [string, Painted] => {
    const gray = 20 + ((index * 37) % 180);
    const color = [gray + tint, gray, gray] as const;
    return [
      `${folder}/${String(index).padStart(3, "0")}.jpg`,
      { width: size, height: height ?? size, color },
    ];
  });
  return Object.fromEntries(pictures);
}
