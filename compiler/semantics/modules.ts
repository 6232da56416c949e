import type {
  BlockDeclaration,
  Declaration,
  FunctionDeclaration,
  ImportDeclaration,
  ImportedName,
  Spec,
} from "../../grammar/ast.js";
import { parse } from "../../grammar/index.js";
import { diagnosticFromSyntax } from "../diagnostics/from-syntax.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { findFormulaFunction } from "../layers/formula-functions.js";
import { findLayer } from "../layers/index.js";
import type { ReadImport } from "./analysis.js";
import { defineConstants } from "./constants.js";
import { reportTwice, withoutDuplicates } from "./duplicates.js";
import type { Environment } from "../calls/environment.js";
import { checkFunction } from "./functions.js";
import { checkParameters } from "./parameters.js";
import { Scope } from "../calls/scope.js";
import { didYouMean, listNames, renameFixes } from "../calls/suggestion.js";

/** A block, and the module whose constants and blocks its body sees. */
export interface Block {
  readonly declaration: BlockDeclaration;
  readonly module: Module;
}

/** A function, and the module whose constants and functions its formula sees. */
export interface DeclaredFunction {
  readonly declaration: FunctionDeclaration;
  readonly module: Module;
}

/** What a file declares and imports. */
export interface Module {
  readonly file: string;
  readonly environment: Environment;
  /** By the name that the file calls them. */
  readonly blocks: ReadonlyMap<string, Block>;
  readonly functions: ReadonlyMap<string, DeclaredFunction>;
  /** Names that it imports or declares in vain, which was reported. */
  readonly missing: ReadonlySet<string>;
}

/** A module while its declarations are read. */
interface NewModule extends Module {
  readonly blocks: Map<string, Block>;
  readonly functions: Map<string, DeclaredFunction>;
  readonly missing: Set<string>;
}

/** Something that a file imports, and whether it is used. */
interface Imported {
  readonly name: ImportedName;
  readonly declaration?: BlockDeclaration | FunctionDeclaration;
}

/** Loads a spec and what it imports. Each file is read once. */
export class Modules {
  private readonly loaded = new Map<string, Module>();
  private readonly imports: Imported[] = [];
  private readonly used = new Set<BlockDeclaration | FunctionDeclaration>();
  /** The files whose imports are being read, the spec first. */
  private readonly reading: { readonly file: string; readonly span?: ImportDeclaration["span"] }[] =
    [];
  /** Texts by file: the imported ones. */
  readonly sources = new Map<string, string>();
  /** Mistakes in the syntax of imported files. */
  readonly syntax: Diagnostic[] = [];

  constructor(private readonly readImport: ReadImport | undefined) {}

  /** The module of a parsed file. */
  load(spec: Spec, { reporter, names }: Pick<Environment, "reporter" | "names">): Module {
    const environment = { scope: new Scope(), reporter, names };
    const module: NewModule = {
      file: spec.file,
      environment,
      blocks: new Map<string, Block>(),
      functions: new Map<string, DeclaredFunction>(),
      missing: new Set(spec.lost),
    };
    this.loaded.set(spec.file, module);
    this.reading.push({ file: spec.file });
    for (const each of ofKind(spec, "import")) this.readImports(each, module);
    this.reading.pop();
    defineConstants(ofKind(spec, "const"), environment);
    this.declareBlocks(ofKind(spec, "block"), module);
    this.declareFunctions(ofKind(spec, "fn"), module);
    return module;
  }

  /** Remembers that a block or a function is used. */
  use({ declaration }: Block | DeclaredFunction): void {
    this.used.add(declaration);
  }

  // Blocks

  private declareBlocks(declarations: readonly BlockDeclaration[], module: NewModule): void {
    const { environment, blocks } = module;
    for (const declaration of withoutDuplicates(
      declarations,
      "block",
      environment.reporter,
    ).values()) {
      const { name, span } = declaration.name;
      environment.names.define("block", name, span);
      for (const each of declaration.parameters) {
        environment.names.define("parameter", each.name.name, each.name.span);
      }
      checkParameters(declaration, environment);
      withoutDuplicates(declaration.parameters, "parameter", environment.reporter);
      if (findLayer(name)) {
        // The layer keeps its name: where it is used with a layer's arguments, nothing else is
        // wrong.
        reportLayerName(declaration, environment);
        continue;
      }
      const imported = blocks.get(name);
      if (imported) {
        const first = imported.declaration.name.span;
        reportTwice(name, "block", { first, second: span }, environment.reporter);
      } else {
        blocks.set(name, { declaration, module });
      }
    }
  }

  // Functions

  private declareFunctions(declarations: readonly FunctionDeclaration[], module: NewModule): void {
    const { environment, blocks, functions } = module;
    const { reporter, names } = environment;
    for (const declaration of withoutDuplicates(declarations, "function", reporter).values()) {
      const { name, span } = declaration.name;
      names.define("function", name, span);
      for (const each of declaration.parameters) {
        names.define("parameter", each.name.name, each.name.span);
      }
      checkFunction(declaration, environment);
      withoutDuplicates(declaration.parameters, "parameter", reporter);
      const first = blocks.get(name)?.declaration ?? functions.get(name)?.declaration;
      if (findLayer(name) ?? findFormulaFunction(name)) {
        reportKnownName(declaration, environment);
      } else if (first) {
        const places = { first: first.name.span, second: span };
        reportTwice(name, "function", places, reporter);
      } else {
        functions.set(name, { declaration, module });
      }
    }
  }

  /** Warns of unused blocks, functions and imports of a file. */
  warnOfUnused({ environment, blocks, functions, file }: Module): void {
    const { reporter } = environment;
    for (const [name, { declaration }] of [...blocks, ...functions]) {
      if (this.used.has(declaration) || declaration.span.file !== file) continue;
      const noun = declaration.kind === "fn" ? "function" : "block";
      reporter.report("NET1025", {
        message: `${noun} \`${name}\` is never used`,
        span: declaration.name.span,
      });
    }
    for (const { name, declaration } of this.imports) {
      const own = name.alias ?? name.name;
      if (own.span.file !== file) continue;
      const entry = environment.scope.own(own.name);
      const isUsed = declaration ? this.used.has(declaration) : entry?.used;
      if (isUsed) continue;
      reporter.report("NET1033", {
        message: `\`${own.name}\` is imported but never used`,
        span: own.span,
      });
    }
  }

  // Imports

  private readImports(declaration: ImportDeclaration, importer: NewModule): void {
    const module = this.moduleAt(declaration, importer);
    for (const imported of declaration.names) {
      if (module) this.importName(imported, module, importer);
      else miss(imported, importer);
    }
  }

  private importName(imported: ImportedName, from: Module, importer: NewModule): void {
    const { environment, blocks, functions } = importer;
    const { name, span } = imported.name;
    const own = ownName(imported);
    const block = from.blocks.get(name);
    const declared = from.functions.get(name);
    const constant = from.environment.scope.own(name);
    if (block) {
      environment.names.use("block", name, span, block.declaration.name.span);
      environment.names.use("block", own.name, own.span, block.declaration.name.span);
      blocks.set(own.name, block);
      this.imports.push({ name: imported, declaration: block.declaration });
    } else if (declared) {
      const { declaration } = declared;
      environment.names.use("function", name, span, declaration.name.span);
      environment.names.use("function", own.name, own.span, declaration.name.span);
      functions.set(own.name, declared);
      this.imports.push({ name: imported, declaration });
    } else if (constant) {
      constant.used = true;
      environment.names.use("constant", name, span, constant.span);
      environment.names.use("constant", own.name, own.span, constant.span);
      environment.names.take(own.span, constant.value);
      environment.scope.define(own.name, constant.value, own.span);
      this.imports.push({ name: imported });
    } else {
      const names = [
        ...from.blocks.keys(),
        ...from.functions.keys(),
        ...from.environment.scope.names,
      ];
      environment.reporter.report("NET1032", {
        message:
          `\`${from.file}\` has no block, function or constant \`${name}\`` +
          didYouMean(name, names),
        span,
        notes: names.length ? [`it has ${listNames(names)}`] : ["it declares none"],
        fixes: renameFixes(span, name, names),
      });
      miss(imported, importer);
    }
  }

  /** The module that an import names, or undefined after reporting why there is none. */
  private moduleAt({ path }: ImportDeclaration, importer: Module): Module | undefined {
    const { reporter, names } = importer.environment;
    if (!this.readImport) {
      return reporter.report("NET1030", {
        message:
          `\`${path.value}\` cannot be imported here: this program gives netc no files ` +
          "to read",
        span: path.span,
        notes: ["pass `readImport` to `compile` or `analyze`"],
      });
    }
    const found = this.readImport(path.value, importer.file);
    if (!found) {
      return reporter.report("NET1030", {
        message: `cannot find \`${path.value}\`, relative to \`${importer.file}\``,
        span: path.span,
        notes: ['paths start from the importing file: `"./blocks.net"` lies in the same folder'],
      });
    }
    const cycle = this.reading.findIndex(({ file }) => file === found.file);
    if (cycle >= 0) {
      const files = [...this.reading.slice(cycle).map(({ file }) => file), found.file];
      return reporter.report("NET1031", {
        message: `circular import: ${files.map((file) => `\`${file}\``).join(" imports ")}`,
        span: path.span,
        notes: ["move what both need into a third file"],
      });
    }
    const known = this.loaded.get(found.file);
    if (known) return known;
    this.sources.set(found.file, found.text);
    const { spec, problems } = parse(found.text, found.file);
    this.syntax.push(...problems.map(diagnosticFromSyntax));
    return this.load(spec, { reporter, names });
  }
}

/** Nothing more is said of what could not be imported: it may be any of them. */
function miss(imported: ImportedName, { missing, environment }: NewModule): void {
  const { name, span } = ownName(imported);
  missing.add(name);
  environment.scope.define(name, undefined, span);
}

function ownName({ alias, name }: ImportedName) {
  return alias ?? name;
}

function ofKind<Kind extends Declaration["kind"]>(
  spec: Spec,
  kind: Kind,
): readonly Extract<Declaration, { kind: Kind }>[] {
  return spec.declarations.filter(
    (declaration): declaration is Extract<Declaration, { kind: Kind }> => declaration.kind === kind,
  );
}

function reportKnownName({ name }: FunctionDeclaration, { reporter }: Environment): void {
  reporter.report("NET1026", {
    message: `function \`${name.name}\` has the name of a function or layer of netc`,
    span: name.span,
    label: `\`${name.name}\` exists already`,
    notes: [`choose another name, for instance \`my_${name.name}\``],
  });
}

function reportLayerName({ name }: BlockDeclaration, { reporter }: Environment): void {
  reporter.report("NET1026", {
    message: `block \`${name.name}\` has the name of a layer`,
    span: name.span,
    label: `\`${name.name}\` is a layer already`,
    notes: [`choose another name, for instance \`my_${name.name}\``],
  });
}
