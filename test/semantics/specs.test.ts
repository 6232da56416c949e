import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verify } from "../../compiler/ops/verify.js";
import { checkRun } from "../../compiler/semantics/recipes/check-run.js";
import { analyze, type AnalyzedModel } from "../../compiler/semantics/index.js";

const specs = join(import.meta.dirname, "../../specs");

const analyses = new Map<string, ReturnType<typeof analyze>>();

/** Each spec is analyzed once for all tests. */
function read(file: string) {
  const analysis = analyses.get(file) ?? analyze(readFileSync(join(specs, file), "utf8"), file);
  analyses.set(file, analysis);
  return analysis;
}

function modelOf(file: string): AnalyzedModel {
  return read(file).selected!.model;
}

function total(model: AnalyzedModel, key: "parameters" | "macs" | "macsBackward"): number {
  return model.layers.reduce((sum, layer) => sum + layer[key], 0);
}

/** What a layer with weights costs and gives: parameters, multiply-adds, output. */
function weighty(model: AnalyzedModel) {
  return model.layers
    .filter(({ parameters }) => parameters > 0)
    .map(({ parameters, macs, output }) => [parameters, macs, output!.join("x")]);
}

describe("the shipped specs", () => {
  const files = readdirSync(specs).filter((file) => file.endsWith(".net"));

  test.each(files)("%s has a graph, a recipe with data, and no diagnostics", (file) => {
    const { diagnostics, selected } = read(file);
    expect(diagnostics).toEqual([]);
    expect(selected?.recipe?.data?.train).toBeDefined();
    expect(selected?.recipe?.data?.eval).toBeDefined();
    expect(() => verify(selected!.model.graph!)).not.toThrow();
    expect(selected!.model.graph!.metrics[0]?.name).toBe("loss");
  });

  // ImageNet's and CIFAR-10's examples are 1.28 million and 50,000; the digits of specs/ are few.
  test.each(files)("%s is not warned of when it runs on data of its classes", (file) => {
    const analysis = read(file);
    const { batch, accumulate: slices = 1, epochs } = analysis.selected!.recipe!;
    const classes = analysis.selected!.model.classes!;
    const steps = epochs * Math.ceil((file === "digits.net" ? 1437 : 50_000) / batch);
    const largestPixel = file === "digits.net" ? 16 : 255;
    expect(checkRun(analysis, { steps, batch, slices, classes, largestPixel })).toEqual([]);
  });

  // Published figures: torchvision's models, and Caffe's bvlc_alexnet.
  test.each([
    ["alexnet.net", 61_100_840, 714_188_480],
    ["alexnet-2012.net", 60_965_224, 724_406_816],
    ["caffenet.net", 60_965_224, 724_406_816],
    ["vgg11.net", 132_863_336, 7_609_090_048],
    ["vgg16.net", 138_357_544, 15_470_264_320],
    ["vgg19.net", 143_667_240, 19_632_062_464],
    ["resnet18.net", 11_689_512, 1_814_073_344],
    ["resnet34.net", 21_797_672, 3_663_761_408],
    ["resnet50.net", 25_557_032, 4_089_184_256],
    // With the second classifier, as torchvision counts their parameters.
    ["fcn_resnet50.net", 35_322_218, 130_125_312_000],
    ["deeplabv3_resnet50.net", 42_004_074, 132_656_234_496],
    ["squeezenet1_1.net", 1_235_496, 349_151_936],
    // With both early classifiers, as torchvision counts them in training.
    ["googlenet.net", 13_004_888, 1_506_748_416],
    ["mobilenet_v2.net", 3_504_872, 300_774_272],
    ["mobilenet_v3_small.net", 2_542_856, 56_510_400],
    ["shufflenet_v2_x1_0.net", 2_278_604, 144_907_992],
    ["efficientnet_b0.net", 5_288_548, 385_814_752],
    ["densenet121.net", 7_978_856, 2_834_161_664],
    ["lenet.net", 431_080, 2_293_000],
    ["cifar10-quick.net", 145_578, 12_354_176],
  ])("%s has %i parameters and %i multiply-adds", (file, parameters, macs) => {
    const model = modelOf(file);
    expect(total(model, "parameters")).toBe(parameters);
    expect(total(model, "macs")).toBe(macs);
    // Both gradients of every layer, but for the first one's, whose input is the image.
    const first = model.layers.find((layer) => layer.macs > 0)!;
    expect(total(model, "macsBackward")).toBe(2 * macs - first.macs);
  });

  test("AlexNet agrees with torchvision's layer by layer", () => {
    expect(weighty(modelOf("alexnet.net"))).toEqual([
      [23_296, 70_276_800, "64x55x55"],
      [307_392, 223_948_800, "192x27x27"],
      [663_936, 112_140_288, "384x13x13"],
      [884_992, 149_520_384, "256x13x13"],
      [590_080, 99_680_256, "256x13x13"],
      [37_752_832, 37_748_736, "4096"],
      [16_781_312, 16_777_216, "4096"],
      [4_097_000, 4_096_000, "1000"],
    ]);
  });

  test.each(["alexnet-2012.net", "caffenet.net"])(
    "%s agrees with Caffe's layer by layer",
    (file) => {
      expect(weighty(modelOf(file)).slice(0, 5)).toEqual([
        [34_944, 105_415_200, "96x55x55"],
        [307_456, 223_948_800, "256x27x27"],
        [885_120, 149_520_384, "384x13x13"],
        [663_936, 112_140_288, "384x13x13"],
        [442_624, 74_760_192, "256x13x13"],
      ]);
    },
  );

  test("AlexNet's weights have torchvision's shapes and the spec's names", () => {
    const parameters = modelOf("alexnet.net").graph!.parameters;
    const shapes = parameters.map(({ value }) => `${value.name} ${value.shape.join("x")}`);
    expect(shapes).toEqual([
      "features.conv1.weight 64x3x11x11",
      "features.conv1.bias 64",
      "features.conv2.weight 192x64x5x5",
      "features.conv2.bias 192",
      "features.conv3.weight 384x192x3x3",
      "features.conv3.bias 384",
      "features.conv4.weight 256x384x3x3",
      "features.conv4.bias 256",
      "features.conv5.weight 256x256x3x3",
      "features.conv5.bias 256",
      "classifier.fc6.weight 4096x9216",
      "classifier.fc6.bias 4096",
      "classifier.fc7.weight 4096x4096",
      "classifier.fc7.bias 4096",
      "classifier.logits.weight 1000x4096",
      "classifier.logits.bias 1000",
    ]);
  });

  test("the 2012 network starts with biases of 1 where the paper says so", () => {
    const { parameters } = modelOf("alexnet-2012.net").graph!;
    const ones = parameters.filter(({ initializer }) => {
      return initializer.kind === "constant" && initializer.value === 1;
    });
    expect(ones.map(({ value }) => value.name.split(".")[1])).toEqual([
      "conv2",
      "conv4",
      "conv5",
      "fc6",
      "fc7",
    ]);
  });
});
