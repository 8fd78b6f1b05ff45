// Says what is wrong with the AsyncAPI document on standard input, a line each: node judge.cjs FOLDER_OF_NODE_MODULES
const { createRequire } = require("node:module");
const { Parser } = createRequire(process.argv[2] + "/")("@asyncapi/parser");
new Parser().parse(require("node:fs").readFileSync(0, "utf8")).then(({ document, diagnostics }) => {
  for (const each of diagnostics.filter((one) => one.severity <= 1)) console.log(`${each.path.join("/")}: ${each.message}`);
  if (!document) process.exitCode = 1;
});
