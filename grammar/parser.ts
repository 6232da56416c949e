import type { CstNode, IRecognitionException, IToken, TokenType } from "chevrotain";
import { CstParser, EOF, tokenMatcher } from "chevrotain";
import { describeException } from "./expectation.js";
import * as t from "./tokens.js";
import { isReserved } from "./wording.js";

/**
 * The grammar. It is a little wider than the language: commas and line ends are not enforced here,
 * and every body takes statements that make no sense (`skipped`). `build.ts` reports those with
 * better words than a parser has, and one mistake does not become many.
 */
export class SpecParser extends CstParser {
  /**
   * @param options `skipValidations` leaves out the check of the grammar itself, most of the
   * construction's time
   */
  constructor({ skipValidations }: { readonly skipValidations: boolean }) {
    super(t.allTokens, {
      recoveryEnabled: true,
      nodeLocationTracking: "full",
      maxLookahead: 1,
      skipValidations,
      errorMessageProvider: describeException,
    });
    this.performSelfAnalysis();
  }

  readonly spec = this.RULE("spec", () => {
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.NewLine) },
          { ALT: () => this.SUBRULE(this.importDeclaration) },
          { ALT: () => this.SUBRULE(this.constDeclaration) },
          { ALT: () => this.SUBRULE(this.functionDeclaration) },
          { ALT: () => this.SUBRULE(this.blockDeclaration) },
          { ALT: () => this.SUBRULE(this.modelDeclaration) },
          { ALT: () => this.SUBRULE(this.dataDeclaration) },
          { ALT: () => this.SUBRULE(this.trainDeclaration) },
          { ALT: () => this.SUBRULE(this.skipped) },
          // Left over where recovery gave a block up, and reported there.
          { ALT: () => this.CONSUME(t.RightBrace) },
        ],
        IGNORE_AMBIGUITIES: true,
      });
    });
    this.CONSUME(EOF);
  });

  private readonly importDeclaration = this.RULE("importDeclaration", () => {
    this.CONSUME(t.Import);
    this.CONSUME(t.LeftBrace);
    this.SUBRULE(this.importedNames);
    this.CONSUME(t.RightBrace);
    this.CONSUME(t.From);
    this.CONSUME(t.StringLiteral);
  });

  private readonly importedNames = this.RULE("importedNames", () => {
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.NewLine) },
        { ALT: () => this.CONSUME(t.Comma) },
        { ALT: () => this.SUBRULE(this.importedName) },
      ]);
    });
  });

  private readonly importedName = this.RULE("importedName", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.alias);
  });

  private readonly constDeclaration = this.RULE("constDeclaration", () => {
    this.CONSUME(t.Const);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.sequence);
  });

  private readonly functionDeclaration = this.RULE("functionDeclaration", () => {
    this.CONSUME(t.Fn);
    this.CONSUME(t.Name);
    this.SUBRULE(this.functionParameters);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression);
  });

  private readonly functionParameters = this.RULE("functionParameters", () => {
    this.CONSUME(t.LeftParenthesis);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Comma) },
        { ALT: () => this.SUBRULE(this.functionParameter) },
      ]);
    });
    this.CONSUME(t.RightParenthesis);
  });

  /** `x`, which takes a value, or `gamma: float = 2`, which takes a constant. */
  private readonly functionParameter = this.RULE("functionParameter", () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.CONSUME2(t.Name);
    });
    this.OPTION2(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expression);
    });
  });

  // Models

  private readonly modelDeclaration = this.RULE("modelDeclaration", () => {
    this.CONSUME(t.Model);
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.OPTION2(() => this.SUBRULE(this.skippedHeader));
    this.SUBRULE(this.modelBody);
  });

  private readonly blockDeclaration = this.RULE("blockDeclaration", () => {
    this.CONSUME(t.Block);
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.OPTION2(() => this.SUBRULE(this.skippedHeader));
    this.SUBRULE(this.modelBody);
  });

  private readonly parameters = this.RULE("parameters", () => {
    this.CONSUME(t.LeftParenthesis);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.SUBRULE(this.parameter) }]);
    });
    this.CONSUME(t.RightParenthesis);
  });

  private readonly parameter = this.RULE("parameter", () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.CONSUME2(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expression);
    });
  });

  private readonly modelBody = this.RULE("modelBody", () => {
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.NewLine) },
          { ALT: () => this.SUBRULE(this.inputDeclaration) },
          { ALT: () => this.SUBRULE(this.targetDeclaration) },
          { ALT: () => this.SUBRULE(this.outputDeclaration) },
          { ALT: () => this.SUBRULE(this.lossDeclaration) },
          { ALT: () => this.SUBRULE(this.metricDeclaration) },
          { ALT: () => this.SUBRULE(this.share) },
          { ALT: () => this.SUBRULE(this.letStatement) },
          { ALT: () => this.SUBRULE(this.weight) },
          { ALT: () => this.SUBRULE(this.repeat) },
          { ALT: () => this.SUBRULE(this.loop) },
          { ALT: () => this.SUBRULE(this.conditional) },
          { GATE: () => this.opensBlock(), ALT: () => this.SUBRULE(this.section) },
          { ALT: () => this.SUBRULE(this.chain) },
          { ALT: () => this.SUBRULE(this.skipped) },
        ],
        IGNORE_AMBIGUITIES: true,
      });
    });
    this.CONSUME(t.RightBrace);
  });

  private readonly inputDeclaration = this.RULE("inputDeclaration", () => {
    this.CONSUME(t.Input);
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.tensorType);
    this.OPTION(() => this.SUBRULE(this.range));
    this.OPTION2(() => {
      this.CONSUME(t.Of);
      this.CONSUME2(t.Name);
    });
  });

  private readonly targetDeclaration = this.RULE("targetDeclaration", () => {
    this.CONSUME(t.Target);
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.tensorType);
    this.OPTION(() => this.SUBRULE(this.range));
  });

  private readonly outputDeclaration = this.RULE("outputDeclaration", () => {
    this.CONSUME(t.Output);
    this.SUBRULE(this.path);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.path);
    });
  });

  private readonly path = this.RULE("path", () => {
    this.CONSUME(t.Name);
    this.MANY(() => {
      this.CONSUME(t.Dot);
      this.CONSUME2(t.Name);
    });
  });

  private readonly range = this.RULE("range", () => {
    this.CONSUME(t.In);
    this.SUBRULE(this.expression);
    this.CONSUME(t.Range);
    this.SUBRULE2(this.expression);
  });

  private readonly tensorType = this.RULE("tensorType", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.list);
  });

  private readonly lossDeclaration = this.RULE("lossDeclaration", () => {
    this.CONSUME(t.Loss);
    this.OPTION({
      GATE: () => this.nextIs(2, t.Equals),
      DEF: () => {
        this.CONSUME(t.Name);
        this.CONSUME(t.Equals);
      },
    });
    this.SUBRULE(this.expression);
  });

  private readonly metricDeclaration = this.RULE("metricDeclaration", () => {
    this.CONSUME(t.Metric);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.call);
  });

  private readonly share = this.RULE("share", () => {
    this.CONSUME(t.Share);
    this.CONSUME(t.Name);
    this.SUBRULE(this.modelBody);
  });

  private readonly letStatement = this.RULE("letStatement", () => {
    this.CONSUME(t.Let);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression);
  });

  private readonly weight = this.RULE("weight", () => {
    this.CONSUME(t.Parameter);
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.tensorType);
    this.OPTION(() => {
      this.CONSUME(t.Init);
      this.SUBRULE(this.expression);
    });
  });

  private readonly section = this.RULE("section", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.modelBody);
  });

  private readonly repeat = this.RULE("repeat", () => {
    this.CONSUME(t.Repeat);
    this.SUBRULE(this.expression);
    this.OPTION(() => this.SUBRULE(this.skippedHeader));
    this.SUBRULE(this.modelBody);
  });

  private readonly loop = this.RULE("loop", () => {
    this.CONSUME(t.For);
    this.SUBRULE(this.loopNames);
    this.CONSUME(t.In);
    this.SUBRULE(this.expression);
    this.OPTION(() => {
      this.CONSUME(t.Range);
      this.SUBRULE2(this.expression);
    });
    this.OPTION2(() => this.SUBRULE(this.skippedHeader));
    this.SUBRULE(this.modelBody);
  });

  private readonly conditional = this.RULE("conditional", () => {
    this.CONSUME(t.If);
    this.SUBRULE(this.expression);
    this.OPTION(() => this.SUBRULE(this.skippedHeader));
    this.SUBRULE(this.modelBody);
    this.OPTION2(() => this.SUBRULE(this.otherwise));
  });

  private readonly otherwise = this.RULE("otherwise", () => {
    this.CONSUME(t.Else);
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.conditional) },
        { ALT: () => this.SUBRULE(this.modelBody) },
      ],
      ERR_MSG: "`if` or a block",
    });
  });

  private readonly loopNames = this.RULE("loopNames", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.loopName) },
      { ALT: () => this.SUBRULE(this.loopTuple) },
    ]);
  });

  private readonly loopTuple = this.RULE("loopTuple", () => {
    this.CONSUME(t.LeftParenthesis);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.SUBRULE(this.loopName) }]);
    });
    this.CONSUME(t.RightParenthesis);
  });

  private readonly loopName = this.RULE("loopName", () => {
    this.CONSUME(t.Name);
  });

  private readonly chain = this.RULE("chain", () => {
    this.SUBRULE(this.chainElement);
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE2(this.chainElement);
    });
  });

  private readonly chainElement = this.RULE("chainElement", () => {
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.from) },
        { ALT: () => this.SUBRULE(this.residual) },
        { ALT: () => this.SUBRULE(this.concat) },
        { ALT: () => this.SUBRULE(this.layer) },
      ],
      ERR_MSG: "a layer",
    });
  });

  private readonly from = this.RULE("from", () => {
    this.CONSUME(t.From);
    this.CONSUME(t.Name);
    this.MANY(() => {
      this.CONSUME(t.Dot);
      this.CONSUME2(t.Name);
    });
  });

  private readonly residual = this.RULE("residual", () => {
    this.SUBRULE(this.residualHeader);
    this.SUBRULE(this.modelBody);
    this.OPTION(() => this.SUBRULE(this.skip));
    this.SUBRULE(this.alias);
  });

  private readonly residualHeader = this.RULE("residualHeader", () => {
    this.CONSUME(t.Residual);
    this.OPTION(() => this.SUBRULE(this.arguments_));
  });

  private readonly skip = this.RULE("skip", () => {
    this.CONSUME(t.Skip);
    this.OR({
      DEF: [{ ALT: () => this.SUBRULE(this.call) }, { ALT: () => this.SUBRULE(this.modelBody) }],
      ERR_MSG: "`auto` or a block",
    });
  });

  private readonly concat = this.RULE("concat", () => {
    this.SUBRULE(this.concatHeader);
    this.SUBRULE(this.concatBody);
    this.SUBRULE(this.alias);
  });

  private readonly concatHeader = this.RULE("concatHeader", () => {
    this.OR([{ ALT: () => this.CONSUME(t.Concat) }, { ALT: () => this.CONSUME(t.Split) }]);
    this.OPTION(() => this.SUBRULE(this.arguments_));
  });

  private readonly concatBody = this.RULE("concatBody", () => {
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.NewLine) },
          { ALT: () => this.SUBRULE(this.branch) },
          { ALT: () => this.SUBRULE(this.skipped) },
        ],
        IGNORE_AMBIGUITIES: true,
      });
    });
    this.CONSUME(t.RightBrace);
  });

  private readonly branch = this.RULE("branch", () => {
    this.CONSUME(t.Branch);
    this.OPTION(() => this.CONSUME(t.Name));
    this.OPTION2(() => this.SUBRULE(this.skippedHeader));
    this.SUBRULE(this.modelBody);
  });

  private readonly layer = this.RULE("layer", () => {
    this.OPTION({
      GATE: () => this.nextIs(2, t.Dot),
      DEF: () => this.SUBRULE(this.layerPrefix),
    });
    this.SUBRULE(this.call);
    this.SUBRULE(this.alias);
  });

  /** The `nn.` of `nn.Linear`, which is a mistake. */
  private readonly layerPrefix = this.RULE("layerPrefix", () => {
    this.AT_LEAST_ONE({
      GATE: () => this.nextIs(2, t.Dot),
      DEF: () => {
        this.CONSUME(t.Name);
        this.CONSUME(t.Dot);
      },
    });
  });

  /** `as NAME`, if it is there. */
  private readonly alias = this.RULE("alias", () => {
    this.OPTION(() => {
      this.CONSUME(t.As);
      this.CONSUME(t.Name);
    });
  });

  // Data and train

  private readonly dataDeclaration = this.RULE("dataDeclaration", () => {
    this.CONSUME(t.Data);
    this.CONSUME(t.Name);
    this.OPTION(() => this.CONSUME(t.For));
    this.OPTION2(() => this.CONSUME2(t.Name));
    this.OPTION3(() => this.SUBRULE(this.skippedHeader));
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.NewLine) },
          { ALT: () => this.SUBRULE(this.split) },
          { ALT: () => this.SUBRULE(this.skipped) },
        ],
        IGNORE_AMBIGUITIES: true,
      });
    });
    this.CONSUME(t.RightBrace);
  });

  private readonly split = this.RULE("split", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.call);
    this.OPTION(() => {
      this.CONSUME(t.LeftBrace);
      this.MANY(() => {
        this.OR({
          DEF: [
            { ALT: () => this.CONSUME(t.NewLine) },
            { ALT: () => this.SUBRULE(this.transforms) },
            { ALT: () => this.SUBRULE(this.skipped) },
          ],
          IGNORE_AMBIGUITIES: true,
        });
      });
      this.CONSUME(t.RightBrace);
    });
  });

  private readonly transforms = this.RULE("transforms", () => {
    this.SUBRULE(this.call);
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE2(this.call);
    });
  });

  private readonly trainDeclaration = this.RULE("trainDeclaration", () => {
    this.CONSUME(t.Train);
    this.CONSUME(t.Name);
    this.CONSUME(t.Of);
    this.SUBRULE(this.call);
    this.OPTION(() => this.CONSUME(t.On));
    this.OPTION2(() => this.CONSUME2(t.Name));
    this.OPTION3(() => this.SUBRULE(this.skippedHeader));
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.NewLine) },
          { GATE: () => this.opensNamedBlock(), ALT: () => this.SUBRULE(this.step) },
          { ALT: () => this.SUBRULE(this.setting) },
          { ALT: () => this.SUBRULE(this.skipped) },
        ],
        IGNORE_AMBIGUITIES: true,
      });
    });
    this.CONSUME(t.RightBrace);
  });

  private readonly step = this.RULE("step", () => {
    this.CONSUME(t.Name);
    this.CONSUME2(t.Name);
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.CONSUME(t.NewLine) },
          { ALT: () => this.SUBRULE(this.setting) },
          { ALT: () => this.SUBRULE(this.skipped) },
        ],
        IGNORE_AMBIGUITIES: true,
      });
    });
    this.CONSUME(t.RightBrace);
  });

  private readonly setting = this.RULE("setting", () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.sequence);
  });

  // Expressions

  private readonly sequence = this.RULE("sequence", () => {
    this.SUBRULE(this.expression);
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE(this.call);
    });
  });

  private readonly expression = this.RULE("expression", () => {
    this.SUBRULE(this.conjunction);
    this.MANY(() => {
      this.CONSUME(t.Or);
      this.SUBRULE2(this.conjunction);
    });
  });

  private readonly conjunction = this.RULE("conjunction", () => {
    this.SUBRULE(this.inversion);
    this.MANY(() => {
      this.CONSUME(t.And);
      this.SUBRULE2(this.inversion);
    });
  });

  /** `not a == b` is `not (a == b)`, as in Python. */
  private readonly inversion = this.RULE("inversion", () => {
    this.MANY(() => this.CONSUME(t.Not));
    this.SUBRULE(this.comparison);
  });

  /** More than one comparison is a mistake. */
  private readonly comparison = this.RULE("comparison", () => {
    this.SUBRULE(this.sum);
    this.MANY(() => {
      this.CONSUME(t.Comparison);
      this.SUBRULE2(this.sum);
    });
  });

  private readonly sum = this.RULE("sum", () => {
    this.SUBRULE(this.product);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Plus) }, { ALT: () => this.CONSUME(t.Minus) }]);
      this.SUBRULE2(this.product);
    });
  });

  private readonly product = this.RULE("product", () => {
    this.SUBRULE(this.unary);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Star) },
        { ALT: () => this.CONSUME(t.Slash) },
        { ALT: () => this.CONSUME(t.Percent) },
      ]);
      this.SUBRULE2(this.unary);
    });
  });

  private readonly unary = this.RULE("unary", () => {
    this.MANY(() => this.CONSUME(t.Minus));
    this.SUBRULE(this.power);
  });

  /** `-x^2` is `-(x^2)`, and `x^-1` needs no parentheses. */
  private readonly power = this.RULE("power", () => {
    this.SUBRULE(this.primary);
    this.OPTION(() => {
      this.CONSUME(t.Caret);
      this.SUBRULE(this.unary);
    });
  });

  private readonly primary = this.RULE("primary", () => {
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.number) },
        { ALT: () => this.CONSUME(t.StringLiteral) },
        { ALT: () => this.CONSUME(t.True) },
        { ALT: () => this.CONSUME(t.False) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.group) },
        { GATE: () => this.startsPattern(), ALT: () => this.SUBRULE(this.pattern) },
        { ALT: () => this.SUBRULE(this.call) },
      ],
      ERR_MSG: "a value",
      IGNORE_AMBIGUITIES: true,
    });
  });

  private readonly number = this.RULE("number", () => {
    this.OR([{ ALT: () => this.CONSUME(t.Integer) }, { ALT: () => this.CONSUME(t.Float) }]);
    this.OPTION({
      GATE: () => !this.nextIs(2, t.Equals, t.Colon, t.LeftParenthesis),
      DEF: () => this.CONSUME(t.Identifier),
    });
  });

  private readonly list = this.RULE("list", () => {
    this.CONSUME(t.LeftBracket);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.SUBRULE(this.expression) }]);
    });
    this.CONSUME(t.RightBracket);
  });

  /** A value in parentheses or a tuple. */
  private readonly group = this.RULE("group", () => {
    this.CONSUME(t.LeftParenthesis);
    this.SUBRULE(this.expression);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Comma) },
        { ALT: () => this.SUBRULE2(this.expression) },
      ]);
    });
    this.CONSUME(t.RightParenthesis);
  });

  private readonly pattern = this.RULE("pattern", () => {
    this.SUBRULE(this.segment);
    this.MANY(() => {
      this.CONSUME(t.Dot);
      this.SUBRULE2(this.segment);
    });
  });

  private readonly segment = this.RULE("segment", () => {
    this.OR({
      DEF: [{ ALT: () => this.CONSUME(t.Name) }, { ALT: () => this.CONSUME(t.Star) }],
      ERR_MSG: "a name or `*`",
    });
  });

  private readonly call = this.RULE("call", () => {
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.arguments_));
  });

  private readonly arguments_ = this.RULE("arguments", () => {
    this.CONSUME(t.LeftParenthesis);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.SUBRULE(this.argument) }]);
    });
    this.CONSUME(t.RightParenthesis);
  });

  private readonly argument = this.RULE("argument", () => {
    this.OPTION({
      GATE: () => this.nextIs(2, t.Equals, t.Colon),
      DEF: () => {
        this.CONSUME(t.Name);
        this.OR([{ ALT: () => this.CONSUME(t.Equals) }, { ALT: () => this.CONSUME(t.Colon) }]);
      },
    });
    this.SUBRULE(this.expression);
  });

  // Mistakes

  /** A statement that makes no sense, to the end of its line, with the blocks that start on it. */
  private readonly skipped = this.RULE("skipped", () => {
    this.AT_LEAST_ONE(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Plain) },
        { ALT: () => this.SUBRULE(this.skippedBlock) },
      ]);
    });
  });

  /** What makes no sense between a declaration's header and its body. */
  private readonly skippedHeader = this.RULE("skippedHeader", () => {
    this.AT_LEAST_ONE(() => this.CONSUME(t.Plain));
  });

  private readonly skippedBlock = this.RULE("skippedBlock", () => {
    this.CONSUME(t.LeftBrace);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.NewLine) },
        { ALT: () => this.CONSUME(t.Plain) },
        { ALT: () => this.SUBRULE(this.skippedBlock) },
      ]);
    });
    this.CONSUME(t.RightBrace);
  });

  /**
   * Braces are balanced before parsing: one more would open or close the wrong block. And a name is
   * not missing where a reserved word takes its place.
   */
  protected override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    if (type === t.Name) return !isReserved(this.LA(1));
    return type !== t.LeftBrace && type !== t.RightBrace && type !== t.NewLine;
  }

  // Looking ahead

  private nextIs(distance: number, ...types: readonly TokenType[]): boolean {
    return types.some((type) => tokenMatcher(this.LA(distance), type));
  }

  private opensBlock(): boolean {
    return this.nextIs(2, t.LeftBrace);
  }

  private opensNamedBlock(): boolean {
    return this.nextIs(2, t.Name) && this.nextIs(3, t.LeftBrace);
  }

  private startsPattern(): boolean {
    return this.nextIs(1, t.Star) || this.nextIs(2, t.Dot);
  }
}

/** Built once: its construction takes far longer than parsing a spec. */
let parser: SpecParser | undefined;

export interface ParsedTokens {
  readonly tree: CstNode;
  readonly exceptions: readonly IRecognitionException[];
}

/**
 * Parses balanced tokens. The tree is there whatever is wrong, with gaps where something is
 * missing.
 */
export function parseTokens(tokens: IToken[]): ParsedTokens {
  parser ??= new SpecParser({ skipValidations: true });
  parser.input = tokens;
  const tree = parser.spec();
  return { tree, exceptions: parser.errors };
}
