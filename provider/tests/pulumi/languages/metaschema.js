// Judges package schemas by Pulumi's metaschema: `node metaschema.js <metaschema> <schema>...`. Says what is wrong, one line each.
const { readFileSync } = require("node:fs");
const Ajv = require("ajv/dist/2020");

const [metaschema, ...schemas] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(metaschema);
for (const schema of schemas) {
    if (!validate(schema)) {
        for (const error of validate.errors) {
            console.log(`${schema.name}${error.instancePath}: ${error.message}`);
        }
    }
}
