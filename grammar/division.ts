/** `a // b`, which divides in Python and starts a comment here. */
import type { IToken } from "chevrotain";
import { is, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { problem, replace } from "./problem.js";
import { Float, Identifier, Integer } from "./tokens.js";

/** A number or a name, and what may follow it in an expression. */
const DIVISOR =
  /^\/\/(?<space>\s*)(?<divisor>\d+(?:\.\d+)?|[A-Za-z_]\w*)\s*(?<rest>[-+*/,)\]].*)?$/;

const MESSAGE = "`//` starts a comment, and divides nothing";

export const isDivision = ({ message }: SyntaxProblem): boolean => message === MESSAGE;

const OPENING = new Set(["(", "["]);
const CLOSING = new Set([")", "]"]);

/** Comments that look like the end of an expression, whose numbers would be others in silence. */
export const divisions = (
  file: string,
  tokens: readonly IToken[],
  comments: readonly IToken[],
): SyntaxProblem[] =>
  comments.flatMap((comment) => {
    const line = tokens.filter(
      ({ startLine, startOffset, image }) =>
        startLine === comment.startLine && startOffset < comment.startOffset && image.trim() !== "",
    );
    return division(file, line, comment) ?? [];
  });

function division(
  file: string,
  line: readonly IToken[],
  comment: IToken,
): SyntaxProblem | undefined {
  const found = DIVISOR.exec(comment.image)?.groups;
  const dividend = line.at(-1);
  if (!found || !dividend) return undefined;
  const isSimple = is(dividend, Identifier, Integer, Float);
  if (!isSimple && dividend.image !== ")") return undefined;
  const open = line.reduce((depth, { image }) => depth + bracket(image), 0);
  const declares = ["let", "const"].includes(line[0]!.image);
  const isNumber = /^\d/.test(found["divisor"]!);
  // A word alone is what a comment may say, and so is one before a comma.
  const continues =
    /^[-+*/]/.test(found["rest"] ?? "") || (open > 0 && found["rest"] !== undefined);
  const divides = (open > 0 || declares) && (continues || (isNumber && !found["rest"]));
  if (!divides) return undefined;
  const [from, at] = [spanOf(file, dividend), spanOf(file, comment)];
  const length = 2 + found["space"]!.length + found["divisor"]!.length;
  const end = {
    offset: at.start.offset + length,
    line: at.start.line,
    column: at.start.column + length,
  };
  const exact = `${dividend.image} / ${found["divisor"]!}`;
  const meant = line[0]!.image === "let" ? exact : `floor(${exact})`;
  const fixes = isSimple ? [replace({ ...from, end }, meant, `write \`${meant}\``)] : [];
  return problem("NET0006", { ...at, end }, MESSAGE, {
    notes: ["`/` divides, and `floor(a / b)` rounds what it gives of constants"],
    fixes,
  });
}

const bracket = (image: string): number => {
  if (OPENING.has(image)) return 1;
  return CLOSING.has(image) ? -1 : 0;
};
