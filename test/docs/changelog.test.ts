/** The changelog has the form of https://keepachangelog.com, with an entry a line. */
import { expect, test } from "vitest";
import { readPage } from "./pages.js";

const KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

const TITLE = /^# Changelog$/;
const VERSION = /^## \[(Unreleased|\d+\.\d+\.\d+)\]( - \d{4}-\d\d-\d\d| \(development version\))?$/;
const KIND = new RegExp(`^### (${KINDS.join("|")})$`);
const ENTRY = /^- ([A-Z`-]|netc ).{8,}\.$/;
const PREAMBLE = "The format follows [Keep a Changelog](https://keepachangelog.com).";

/** Lines that are neither headings nor entries of one line. */
const strangeLines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "" && line !== PREAMBLE)
    .filter((line) => ![TITLE, VERSION, KIND, ENTRY].some((form) => form.test(line)));

test("headings are versions and kinds of changes, and each entry is a line", () => {
  const text = readPage("CHANGELOG.md");
  expect(strangeLines(text)).toEqual([]);
  expect(text.split("\n").filter((line) => line.length > 100)).toEqual([]);
  expect(text.match(/^## .*$/gm)![0]).toBe("## [Unreleased]");
});

test("kinds come once for each version, in the order of the form", () => {
  for (const version of readPage("CHANGELOG.md").split(/^## /m).slice(1)) {
    const kinds = [...version.matchAll(/^### (.*)$/gm)].map((found) => found[1]!);
    expect(kinds).toEqual(KINDS.filter((kind) => kinds.includes(kind)));
  }
});

test("other lines are seen", () => {
  const text = "### Improved\n\n- Something that goes over\n  two lines.\n- netc.\n";
  expect(strangeLines(text)).toHaveLength(4);
});
