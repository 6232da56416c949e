/** `netc init` as a user runs it: from pictures to a trained network. */
import { readFile } from "node:fs/promises";
import { analyze } from "../../compiler/index.js";
import { analyzeSpec, tensorsOf } from "../../cli/compiled.js";
import { writeOutput } from "../../cli/files.js";
import { openSpec } from "../../cli/spec.js";
import { tensorParts } from "../../runtime/tensor-parts.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shades, writeFiles, type Painted } from "../starter/pictures.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeFiles(workspace.path("my photos"), {
    ...shades("red things", 24, { size: 32, tint: 55 }),
    ...shades("gray things", 24, { size: 32 }),
    "gray things/broken.jpg": "no picture",
    "red things/copy.jpg": shades("x", 1, { size: 32 })["x/000.jpg"]!,
    "notes.txt": "hello",
  });
});

afterAll(() => workspace.remove());

test("from folders to a spec that trains as it is", async () => {
  const { code, stdout } = await netc("init", "my photos");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^gray things +25\nred things +25$/m);
  expect(stdout).toContain("warning: 1 file cannot be read, and training skips them:");
  expect(stdout).toMatch(
    /warning: 1 picture in two classes, .*\n {2}my photos\/red things\/copy\.jpg = /,
  );
  expect(stdout).toContain("1 file is not used: 1 outside of the class folders");
  expect(stdout).toContain("wrote my_photos.net; next: netc train my_photos.net");
  expect((await netc("check", "my_photos.net")).code).toBe(0);
  const trained = await netc("train", "my_photos.net", "--steps", "2", "--out", "run");
  expect(trained.stderr).not.toMatch(/^error/m);
  // Both splits read the folder, which is said once.
  expect(trained.stderr.match(/is not used/g)).toHaveLength(1);
  expect(trained.code).toBe(0);
});

test("pretrained weights are recognized, and their network gets a new head", async () => {
  const own = tensorsOf(await analyzeSpec("specs/squeezenet1_1.net", {}));
  const zeros = own.map(({ name, shape }) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return { name, shape, values };
  });
  const weights = workspace.path("squeezenet1_1.safetensors");
  await writeOutput(weights, tensorParts(zeros, { format: "pt" }));
  const plain = await netc("init", "my photos", "-o", "plain.net");
  expect(plain.stdout).toContain("has weights of SqueezeNet: --weights squeezenet1_1.safetensors");
  const { code } = await netc(
    ...["init", "my photos", "--weights", "squeezenet1_1.safetensors", "-o", "fine.net"],
  );
  expect(code).toBe(0);
  const text = await readFile(workspace.path("fine.net"), "utf8");
  expect(text).toContain("(classes: int = 2)");
  expect(text).toContain('load("squeezenet1_1.safetensors", except=[');
  expect(text).toMatch(/freeze += \[[^\]]*\]/);
  expect(text).toContain("random_resized_crop(224");
  const { readWeights, readImport } = await openSpec(workspace.path("fine.net"));
  const { diagnostics } = analyze(text, workspace.path("fine.net"), { readWeights, readImport });
  expect(diagnostics).toEqual([]);
  const unknown = await netc("init", "my photos", "--weights", "plain.net", "-o", "no.net");
  expect(unknown.code).toBe(1);
});

test("an existing spec is kept without --overwrite", async () => {
  await workspace.write("kept.net", "// mine\n");
  const refused = await netc("init", "my photos", "-o", "kept.net");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("error: kept.net already exists");
  expect(await readFile(workspace.path("kept.net"), "utf8")).toBe("// mine\n");
  expect((await netc("init", "my photos", "-o", "kept.net", "--overwrite")).code).toBe(0);
  expect(await readFile(workspace.path("kept.net"), "utf8")).toContain("model Kept(");
});

test("the document holds what was found and what was chosen", async () => {
  const { stdout } = await netc("init", "my photos", "-o", "more/own.net", "--json");
  const { output, survey, plan } = JSON.parse(stdout);
  expect(output).toBe("more/own.net");
  expect(survey).toMatchObject({ kind: "pictures", input: [32, 32], isGray: false });
  expect(plan.input.value).toEqual([3, 32, 32]);
  expect(await readFile(workspace.path("more/own.net"), "utf8")).toContain('folder("../my photos"');
});

test.each([
  [["init", "nowhere"], 1, /^error: there is no folder or file nowhere$/m],
  [["init", "my photos/notes.txt"], 1, /is neither a folder nor a csv file\nhelp: other sources/],
  [["init", "my photos", "-o", "x.txt"], 2, /x\.txt does not end in \.net/],
  [["init", "my photos/red things"], 1, /has no class folders, but 25 images/],
])("%s is refused in words", async (args, expected, message) => {
  const { code, stderr } = await netc(...args);
  expect(code).toBe(expected);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("pictures with boxes or masks are recognized and do not become classes", async () => {
  const pictures = Object.values(shades("a", 4, { size: 8 }));
  const named = (folder: string, ending: string, contents: readonly (string | Painted)[]) =>
    Object.fromEntries(contents.map((each, at) => [`${folder}/${at}.${ending}`, each]));
  const lines = pictures.map(() => "0 0.5 0.5 0.1 0.1\n");
  const instances = {
    "annotations/instances.json": '{"info": {}, "images": [], "annotations": []}',
  };
  await writeFiles(workspace.path("yolo"), {
    ...named("images", "jpg", pictures),
    ...named("labels", "txt", lines.slice(1)),
  });
  await writeFiles(workspace.path("split"), {
    ...named("train/images", "jpg", pictures),
    ...named("train/labels", "txt", lines),
  });
  await writeFiles(workspace.path("coco"), { ...named("images", "jpg", pictures), ...instances });
  await writeFiles(workspace.path("street"), {
    ...named("images", "jpg", pictures),
    ...named("masks", "jpg", pictures),
  });
  const refused = async (folder: string) => {
    const { code, stderr } = await netc("init", folder);
    expect(code).toBe(1);
    return stderr;
  };
  const yolo = await refused("yolo");
  expect(yolo).toContain(
    "yolo has 4 pictures in yolo/images, and text files of boxes for 3 of them",
  );
  expect(yolo).toContain('`boxes("yolo/images", "yolo/labels", holdout=0.2)`');
  expect(await refused("split")).toContain('`boxes("split/train/images", "split/train/labels"');
  const coco = await refused("coco");
  expect(coco).toContain('`boxes("coco/images", "coco/annotations/instances.json", holdout=0.2)`');
  expect(await refused("street")).toContain(
    '`pairs("street/images", "street/masks", holdout=0.2)`',
  );
});

test("data that cannot be split or told apart is refused in words for its kind", async () => {
  await writeFiles(workspace.path("pair"), { ...shades("a", 1), ...shades("b", 1) });
  const pair = await netc("init", "pair");
  expect(pair).toMatchObject({ code: 1, stdout: "" });
  expect(pair.stderr).toContain("pair has one example of each class, and none to hold out");
  await workspace.write("same.csv", "1,a\n2,a\n3,a\n");
  const same = await netc("init", "same.csv");
  expect(same.code).toBe(1);
  expect(same.stderr).toContain("its label is a in every row");
});

test("more broken files than training tolerates must be removed", async () => {
  const broken = Array.from({ length: 11 }, (_, at) => [`a/broken${at}.jpg`, "no picture"]);
  await writeFiles(workspace.path("broken"), {
    ...shades("a", 12),
    ...shades("b", 12),
    ...Object.fromEntries(broken),
  });
  const { stdout } = await netc("init", "broken");
  expect(stdout).toContain("11 files cannot be read, and training ends with an error after 10");
});
