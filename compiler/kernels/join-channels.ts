import { read, type Bindings, type Loaded } from "./bindings.js";
import { code, component, joined, times, type Code } from "./code.js";
import type { Constants } from "./constants.js";
import { scopeOf, type Fragment } from "./define-kernel.js";
import { placeName } from "./pixels.js";
import { defineQuads } from "./quads.js";
import { digitsAlong, digitsOf } from "./take.js";

/** How channels lie in what they are joined from. */
export interface JoinForm {
  readonly inputs: number;
  /** Digits of the place of a channel. */
  readonly digits: number;
  /**
   * For each lane of a quad, the input that its channels are of; null if they are of more: in a
   * kernel's key, as JSON, a list has no undefined.
   */
  readonly lanes: readonly (number | null)[];
  /** Whether channels end within a quad, behind which there are zeros. */
  readonly clears: boolean;
}

export const joinedName = (input: number): string => `input${input}`;

/** The first channel of an input among those of all; that of the first input is 0. */
export const startName = (input: number): string => `start${input}`;

/** Channels of several activations of one space, in an order of all of them. */
export const joinChannels = defineQuads("join_channels", (form: JoinForm) => {
  const { digits, lanes, clears } = form;
  const own = fragmentOf(form);
  const { io, k } = scopeOf(own) as unknown as JoinScope;
  const start = (input: number) => k[startName(input)]!;
  const inputs = times(form.inputs, joinedName);
  const terms = digitsAlong("channel", digits, code`channels`);
  const taken = code`vec4u(${k["first_channel"]}) + ${joined(terms, " + ")}`;
  const loadOf = (input: number, channel: Code) => {
    const within = input > 0 ? code`${channel} - ${start(input)}` : channel;
    return io[joinedName(input)]!.load(code`${placeName(joinedName(input))} + ${within}`);
  };
  const loaded = lanes.map((input, lane) =>
    input === null ? code`0.0` : loadOf(input, component(code`taken`, lane)),
  );
  /** From input to input, until the channel is of it. */
  const found = (lane: number, input = 0): Code => {
    const [value, channel] = [component(code`value`, lane), component(code`taken`, lane)];
    const assigned = code`${value} = ${loadOf(input, channel)};`;
    if (input === form.inputs - 1) return assigned;
    return code`
      if (${channel} < ${start(input + 1)}) {
        ${assigned}
      } else {
        ${found(lane, input + 1)}
      }`;
  };
  const searched = lanes.flatMap((input, lane) => (input === null ? [found(lane)] : []));
  const all = code`vec4u(4u * quad) + vec4u(0, 1, 2, 3)`;
  const channels = clears
    ? // Where there is no channel, a lane reads its first one.
      code`
        let all_channels = ${all};
        let is_channel = all_channels <= vec4u(${k["last_channel"]});
        let channels = select(vec4u(0, 1, 2, 3), all_channels, is_channel);`
    : code`let channels = ${all};`;
  const ofLanes = lanes.map((lane) => lane ?? "x").join("");
  return {
    suffix: `_${form.inputs}_${digits}_${ofLanes}${clears ? "_cut" : ""}`,
    summary: "Channels of several activations, in an order of all of them.",
    ...own,
    constants: { ...Object.fromEntries(inputs.map((name) => [name, "place"])), ...own.constants },
    inputs,
    value: () => code`
      ${channels}
      let taken = ${taken};
      var value = vec4f(${joined(loaded, ", ")});
      ${searched}
      ${clears ? code`value = select(vec4f(0), value, is_channel);` : undefined}`,
  };
});

interface JoinScope {
  readonly io: Readonly<Record<string, Loaded>>;
  readonly k: Readonly<Record<string, Code>>;
}

/** What it is given, but for the places of its inputs. */
function fragmentOf({ inputs, digits, clears }: JoinForm): Fragment {
  const bindings: Bindings = Object.fromEntries(
    times(inputs, (input) => [joinedName(input), read("f32")]),
  );
  const starts = times(inputs, startName).slice(1);
  const constants: Constants = {
    first_channel: "u32",
    last_channel: clears ? "u32" : undefined,
    ...Object.fromEntries(starts.map((name) => [name, "u32"])),
    ...digitsOf({ row: 0, column: 0, channel: digits }).constants,
  };
  return { bindings, constants };
}
