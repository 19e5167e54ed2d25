// The public symbols of the SDK, read from its declarations with their documentation.

import { join, relative } from "node:path";
// 7 does not have the JavaScript API of the compiler yet.
import ts from "typescript-5.9";
import { root } from "./pages.js";

/** A member of an interface or a class that a program may use. */
export interface Member {
  readonly name: string;
  readonly signature: string;
  /** The type of a property; undefined for anything that is called. */
  readonly type: string | undefined;
  readonly documentation: string;
}

/** A form in which a symbol is declared: a function has one for each overload. */
export interface Form {
  readonly signature: string;
  readonly documentation: string;
  readonly examples: readonly string[];
}

/** A symbol that the package exports. */
export interface PublicSymbol {
  readonly name: string;
  /** The name of the declaration, if the package exports it under another name as well. */
  readonly declaredName: string;
  /** The file of the declaration, such as `node/functions/matrix`. */
  readonly file: string;
  readonly kind: "class" | "function" | "interface" | "type" | "value";
  readonly forms: readonly Form[];
  readonly members: readonly Member[];
}

const declarations = join(root, "packages", "sdk", "commonjs", "dist");

/** All symbols that a program can import from `@stepwell/sdk`, in the order of the package. */
export function publicSymbols(): readonly PublicSymbol[] {
  const entry = join(declarations, "node", "index.d.ts");
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    types: [],
  });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`The declarations of the SDK are missing: run "npm run setup". Expected ${entry}.`);
  const exported = checker.getExportsOfModule(module);
  const all = new Set(exported.map((symbol) => declared(symbol, checker)));
  return exported.map((symbol) => described(symbol, all, checker));
}

/** The symbol that is declared, of a name that may export it again. */
function declared(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function described(exported: ts.Symbol, all: ReadonlySet<ts.Symbol>, checker: ts.TypeChecker): PublicSymbol {
  const symbol = declared(exported, checker);
  const nodes = (symbol.declarations ?? []).map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node));
  const [first] = nodes;
  if (!first) throw new Error(`The symbol ${exported.name} is not declared.`);
  const shared = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  return {
    name: exported.name,
    declaredName: symbol.name,
    file: relative(declarations, first.getSourceFile().fileName).replace(/\.d\.ts$/, ""),
    kind: kindOf(first),
    forms: nodes.map((node) => formOf(node, shared)),
    members: nodes.flatMap((node) => membersOf(node, all, checker)),
  };
}

function kindOf(node: ts.Node): PublicSymbol["kind"] {
  if (ts.isClassDeclaration(node)) return "class";
  if (ts.isFunctionDeclaration(node)) return "function";
  if (ts.isInterfaceDeclaration(node)) return "interface";
  if (ts.isTypeAliasDeclaration(node)) return "type";
  return "value";
}

function formOf(node: ts.Node, shared: string): Form {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const own = comments.map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? "").join("\n\n");
  const tags = comments.flatMap((comment) => comment.tags ?? []);
  const text = (tag: ts.JSDocTag) => ts.getTextOfJSDocComment(tag.comment) ?? "";
  const parameters = tags
    .filter(ts.isJSDocParameterTag)
    .map((tag) => `- \`${tag.name.getText()}\`: ${text(tag).replace(/^- /, "")}`);
  const returns = tags.filter(ts.isJSDocReturnTag).map((tag) => `Returns ${text(tag)}`);
  const examples = tags.filter((tag) => tag.tagName.text === "example").map(text);
  return {
    signature: signatureOf(node),
    documentation: [own || shared, parameters.join("\n"), ...returns].filter(Boolean).join("\n\n"),
    examples,
  };
}

/** The text of a declaration without its comments, and without the members of a class or an interface. */
function signatureOf(node: ts.Node): string {
  const text = node.getText();
  const isObject = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
  const head = isObject ? text.slice(0, text.indexOf("{", heritageEnd(node) - node.getStart())) : text;
  const short = head
    .replace(/\/\*\*[\s\S]*?\*\/\s*/g, "")
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replace(/;$/, "")
    .trim();
  return ts.isFunctionDeclaration(node) && short.length > 78 ? onLines(node, short) : short;
}

function heritageEnd(node: ts.ClassDeclaration | ts.InterfaceDeclaration): number {
  return node.heritageClauses?.at(-1)?.end ?? node.typeParameters?.end ?? node.name?.end ?? node.getStart();
}

/** A long signature with a line for each parameter. */
function onLines(node: ts.FunctionDeclaration | ts.MethodDeclaration, short: string): string {
  if (node.parameters.length === 0) return short;
  const [before = ""] = short.split("(", 1);
  const parameters = node.parameters.map((parameter) => `  ${parameter.getText()},\n`).join("");
  const result = node.type ? `: ${node.type.getText()}` : "";
  return `${before}(\n${parameters})${result}`;
}

/** The members of a class or an interface, with the inherited ones of interfaces that have no page. */
function membersOf(node: ts.Node, all: ReadonlySet<ts.Symbol>, checker: ts.TypeChecker): readonly Member[] {
  const own = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ? ownMembers(node, checker) : [];
  const parents = parentsOf(node).flatMap((name) => {
    const symbol = checker.getSymbolAtLocation(name);
    const parent = symbol && declared(symbol, checker);
    const isOurs = parent?.declarations?.some((one) => one.getSourceFile().fileName.startsWith(declarations));
    return parent && isOurs && !all.has(parent) ? (parent.declarations ?? []) : [];
  });
  return [...own, ...parents.flatMap((parent) => membersOf(parent, all, checker))];
}

/** The names of the types that a type has all members of: what it extends, or the parts of an intersection. */
function parentsOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    return (node.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression));
  }
  if (!ts.isTypeAliasDeclaration(node) || !ts.isIntersectionTypeNode(node.type)) return [];
  return node.type.types.flatMap((part) => namesOf(part));
}

/** A part of an intersection: a type, or the type that a condition chooses. */
function namesOf(part: ts.TypeNode): readonly ts.Node[] {
  if (ts.isParenthesizedTypeNode(part)) return namesOf(part.type);
  if (ts.isConditionalTypeNode(part)) return [...namesOf(part.trueType), ...namesOf(part.falseType)];
  return ts.isTypeReferenceNode(part) ? [part.typeName] : [];
}

function ownMembers(node: ts.ClassDeclaration | ts.InterfaceDeclaration, checker: ts.TypeChecker): readonly Member[] {
  return [...node.members].filter(isPublic).map((member) => {
    const symbol = member.name && checker.getSymbolAtLocation(member.name);
    const isProperty = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
    const own = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc).at(-1)?.comment;
    const inherited = symbol ? ts.displayPartsToString(symbol.getDocumentationComment(checker)) : "";
    return {
      name: member.name?.getText() ?? (ts.isConstructorDeclaration(member) ? "constructor" : "()"),
      signature: member
        .getText()
        .replace(/\/\*\*[\s\S]*?\*\/\s*/g, "")
        .replace(/;$/, ""),
      type: isProperty && member.type ? member.type.getText() : undefined,
      documentation: ts.getTextOfJSDocComment(own) || inherited,
    };
  });
}

/** Whether a program sees the member: private ones, keys of the package itself and internal ones are not seen. */
function isPublic(member: ts.ClassElement | ts.TypeElement): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  if (ts.getCombinedModifierFlags(member) & hidden) return false;
  if (ts.getJSDocTags(member).some((tag) => tag.tagName.text === "internal")) return false;
  return (
    !member.name || ts.isIdentifier(member.name) || ts.isNumericLiteral(member.name) || ts.isStringLiteral(member.name)
  );
}
