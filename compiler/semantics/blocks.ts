import type { CallExpression } from "../../grammar/ast.js";
import type { BlockUse } from "../calls/reporter.js";
import { kindOf } from "../network/describe.js";
import type { Block } from "./modules.js";
import type { NetworkReader } from "./network.js";
import { callArguments, modelScope, type ModelArguments } from "./parameters.js";
import type { Place } from "./place.js";

/** Puts a block's layers into the place of its use. */
export function readBlock(
  reader: NetworkReader,
  call: CallExpression,
  block: Block,
  place: Place,
): void {
  const { declaration, module } = block;
  const { callee, alias, span } = call;
  place.environment.names.use("block", callee.name, callee.span, declaration.name.span);
  reader.modules.use(block);
  const name = reader.nameAt(place, callee.name, alias, callee.span);
  if (place.blocks.includes(declaration)) return reportRecursion(reader, call, block, place);
  if (declaration.hasBrokenHeader) return reader.lose();
  const declaredIn = { ...module.environment, reporter: place.environment.reporter };
  const values = callArguments(declaration, call, place.environment, declaredIn);
  if (!values) return reader.lose();
  const use = { block: callee.name, name, span: callee.span };
  const label = labelOf(callee.name, values, call);
  const inside = reader.enter(place, name, { kind: "block", label, span: callee.span });
  const before = reader.current;
  reader.readMembers(declaration.members, withinBlock(inside, block, use, values));
  const last = reader.layers.at(-1);
  const layer = last ? kindOf(last) : callee.name;
  reader.nameValue({ name, layer, span, call, before }, alias, place);
}

function withinBlock(inside: Place, block: Block, use: BlockUse, values: ModelArguments): Place {
  const { declaration, module } = block;
  const { environment } = inside;
  return {
    ...inside,
    module,
    outside: inside.path.length,
    uses: [...inside.uses, use],
    blocks: [...inside.blocks, declaration],
    environment: {
      ...environment,
      scope: modelScope(declaration, values, module.environment.scope),
      reporter: environment.reporter.within(use),
    },
  };
}

/** `basic(64, stride=2)`: what the use says, with values. */
function labelOf(name: string, values: ModelArguments, { arguments: given }: CallExpression) {
  const keys = Object.keys(values);
  const parts = given.map((argument, position) => {
    const value = String(values[argument.name?.name ?? keys[position]!]);
    return argument.name ? `${argument.name.name}=${value}` : value;
  });
  return parts.length > 0 ? `${name}(${parts.join(", ")})` : name;
}

function reportRecursion(
  reader: NetworkReader,
  { callee }: CallExpression,
  { declaration }: Block,
  { blocks, environment }: Place,
): void {
  const circle = blocks.slice(blocks.indexOf(declaration)).map(({ name }) => name.name);
  const names = [...circle, declaration.name.name].map((name) => `\`${name}\``);
  reader.lose();
  environment.reporter.report("NET1024", {
    message: `a block cannot contain itself: ${names.join(" uses ")}`,
    span: callee.span,
    related: [{ span: declaration.name.span, message: "declared here" }],
    notes: ["to repeat layers, use `repeat`"],
  });
}
