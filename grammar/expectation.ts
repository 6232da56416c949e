import type { IParserErrorMessageProvider } from "chevrotain";

/**
 * Chevrotain's exceptions carry one string. Here it is what the grammar expected, "a name" or
 * "`=`", and nothing more; `wording.ts` makes a sentence of it.
 */
export const describeException: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => expected.LABEL ?? expected.name,
  buildNotAllInputParsedMessage: () => "a declaration",
  buildNoViableAltMessage: ({ customUserDescription }) => customUserDescription ?? "something else",
  buildEarlyExitMessage: ({ customUserDescription }) => customUserDescription ?? "something else",
};
