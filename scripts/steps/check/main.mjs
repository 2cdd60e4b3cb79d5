// Checks what go run ./scripts/steps has written: node main.mjs DIRECTORY
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkCommands } from './commands.mjs';
import { checkPolicies } from './policies.mjs';
import { checkCDK, checkCloudFormation, checkTerraform } from './templates.mjs';

const top = process.argv[2];
const samples = JSON.parse(readFileSync(join(top, 'samples.json'), 'utf8'));

// files are those of a kind, each text once.
function files(ending) {
  const texts = new Set();
  return globSync(join(top, '*', '*', '*' + ending)).sort().filter((file) => {
    const text = readFileSync(file, 'utf8');
    return !texts.has(text) && texts.add(text);
  });
}

let failures = 0;
function fail(file, why) {
  failures++;
  console.error(`${file}: ${why}`);
}

function tell(what, these, wrong) {
  console.log(`${what}: ${these.length} files, ${wrong} misspelt ones`);
  if (these.length === 0 || !(wrong > 0)) fail(what, 'there is nothing to check');
}

const yaml = files('.yaml');
tell('CloudFormation', yaml, checkCloudFormation(yaml, samples, fail));
const tf = files('.tf');
tell('Terraform', tf, checkTerraform(tf, samples, fail));
const json = files('.json');
tell('policies', json, await checkPolicies(json, fail));
const ts = files('.ts');
tell('CDK', ts, checkCDK(ts, samples, fail));
const sh = files('.sh');
const { calls, wrong } = await checkCommands(sh, samples, fail);
tell('commands', sh, wrong);
const operations = new Set([...calls.values()].flat().map((c) => c.operation));
console.log(`operations: ${[...operations].sort().join(' ')}`);
console.log(failures === 0 ? 'all is as it should be' : `${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
