/** A paragraph in lines of at most 100 characters. */
export const wrapped = (text) => text.replace(/(.{1,100})(?: |$)/g, "$1\n").trim();

/** A command as a block of code. */
export const codeBlock = (command) => ["```", command, "```"].join("\n");
