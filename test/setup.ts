import fc from "fast-check";

// A red test is red for everybody: the same random cases every time.
fc.configureGlobal({ seed: 20260 });
