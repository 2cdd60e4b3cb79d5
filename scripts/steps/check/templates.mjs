// CloudFormation templates are held against the resource schemas that AWS's own validator
// ships, CDK programs are compiled and synthesised, and Terraform files are parsed by
// HashiCorp's parser and held against the names that its provider has.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { masked, mutants } from './mutate.mjs';

// The validator comes with the CDK.
const ofCDK = createRequire(createRequire(import.meta.url).resolve('aws-cdk-lib'));
const { CompositeEngine, TemplateContent } = ofCDK('@aws/cloudformation-validate');

const serious = new Set(['FATAL', 'ERROR', 'WARN']);

// The id of the image is for people to put in.
const waived = new Set(['W9010']);

// problems are what is wrong with a template, but not what could be nicer. A type of
// others than AWS the validator takes for one that is not known.
function problems(engine, text) {
  try {
    const { diagnostics } = engine.validateTemplate(new TemplateContent(text, 'template'));
    const foreign = [...text.matchAll(/\bType["']?: ["']?(?!AWS::)\w+::\S*/g)].map((m) => `${m[0]} is not of AWS`);
    const grave = diagnostics.filter((d) => serious.has(String(d.severity)) && !waived.has(d.ruleId));
    return foreign.concat(grave.map((d) => `${d.severity} ${d.ruleId}: ${d.message}`));
  } catch (error) {
    return [String(error)];
  }
}

export function checkCloudFormation(files, samples, fail) {
  const engine = new CompositeEngine();
  let wrong = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const p of problems(engine, text)) fail(file, p);
    // The names of resources are for people to choose.
    const within = masked(text, [...samples, '  Instance:\n', '  LaunchTemplate:\n', '  Group:\n']);
    for (const [word, changed] of mutants(text, within)) {
      wrong++;
      if (problems(engine, changed).length === 0) fail(file, `that ${word} is misspelt was not found`);
    }
  }
  engine.free();
  return wrong;
}

// checkCDK compiles all programs at once, with wrong ones among them, and runs the right ones.
export function checkCDK(files, samples, fail) {
  const dir = mkdtempSync('cdk-');
  const wrong = new Map();
  files.forEach((file, n) => {
    const text = readFileSync(file, 'utf8');
    writeFileSync(join(dir, `right${n}.ts`), text);
    if (n > 0) return;
    // Names of constructs, and modules' names in their second place, are free.
    const within = masked(text, [...samples, "'Imdsv2'", "'Instance'", "'LaunchTemplate'", "'Vpc'", ' app', ' stack', '(stack', '(app']);
    for (const [word, changed] of mutants(text, within)) {
      const name = `wrong${wrong.size}`;
      wrong.set(name, word);
      writeFileSync(join(dir, name + '.ts'), changed);
    }
  });
  const told = compileAll(dir, wrong, (word) => fail(files[0], `that ${word} is misspelt was not found`));
  files.forEach((file, n) => {
    const mine = told.split('\n').filter((line) => line.includes(`right${n}.ts`));
    for (const line of mine) fail(file, line);
    if (mine.length === 0) checkSynthesised(dir, n, file, fail);
  });
  return wrong.size;
}

// compileAll compiles again without the wrong ones that were found, since the compiler says
// nothing of names while there are errors of syntax. The last time all that is left is told.
function compileAll(dir, wrong, missed) {
  const left = new Map(wrong);
  for (;;) {
    const told = compile(dir);
    const found = [...left.keys()].filter((name) => told.includes(`${name}.ts`));
    if (found.length === 0) {
      left.values().forEach(missed);
      return told;
    }
    for (const name of found) {
      left.delete(name);
      rmSync(join(dir, name + '.ts'));
    }
  }
}

function compile(dir) {
  const options = { target: 'es2022', module: 'commonjs', moduleResolution: 'node', strict: true, skipLibCheck: true, types: ['node'] };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
  writeFileSync(join(dir, 'package.json'), '{"type": "commonjs"}');
  return spawnSync('node', ['node_modules/typescript/bin/tsc', '-p', dir], { encoding: 'utf8' }).stdout;
}

function checkSynthesised(dir, n, file, fail) {
  const out = join(process.cwd(), dir, `out${n}`);
  mkdirSync(out);
  execFileSync('node', [join(dir, `right${n}.js`)], { env: { ...process.env, CDK_OUTDIR: out } });
  const text = readFileSync(join(out, 'Imdsv2.template.json'), 'utf8');
  const engine = new CompositeEngine();
  for (const p of problems(engine, text).filter((p) => /Metadata|HttpTokens/.test(p))) fail(file, p);
  engine.free();
  const tokens = [...text.matchAll(/"HttpTokens": "(\w+)"/g)].map((m) => m[1]);
  const want = file.includes('undo') ? 'optional' : 'required';
  if (tokens.join() !== `${want},${want}`) fail(file, `the template that it makes has HttpTokens ${tokens}`);
}

export function checkTerraform(files, samples, fail) {
  let wrong = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const p of terraformProblems(text)) fail(file, p);
    for (const [word, changed] of mutants(text, masked(text, [...samples, '"example"']))) {
      wrong++;
      if (terraformProblems(changed).length === 0) fail(file, `that ${word} is misspelt was not found`);
    }
  }
  return wrong;
}

// enumerated are the values that the provider documents.
const enumerated = {
  'metadata_options.http_tokens': ['optional', 'required'],
  'metadata_options.http_endpoint': ['enabled', 'disabled'],
  'aws_ec2_instance_metadata_defaults.http_tokens': ['optional', 'required', 'no-preference'],
};

function terraformProblems(text) {
  writeFileSync('terraform.tf', text);
  const read = spawnSync('./hcl', ['terraform.tf'], { encoding: 'utf8' });
  if (read.status !== 0) return [read.stderr];
  return JSON.parse(read.stdout).blocks.flatMap((b) => {
    if (b.type !== 'resource' || b.labels.length !== 2) return [`there is no ${b.type} ${b.labels}`];
    return bodyProblems(b.labels[0], b.body, interfacesOf(b.labels[0]));
  });
}

// interfacesOf reads what the provider's resource and its blocks can have from the types that
// CDK for Terraform has generated from its schema: the comment of each property names it.
function interfacesOf(resource) {
  const folder = resource.replace(/^aws_/, '').replaceAll('_', '-');
  let source;
  try {
    source = readFileSync(join('provider', folder, 'index.d.ts'), 'utf8');
  } catch {
    return {};
  }
  const found = {};
  for (const [, name, body] of source.matchAll(/export interface (\w+)[^{]*\{([\s\S]*?)\n\}/g)) {
    found[name] = new Set([...body.matchAll(/#(\w+) \w+#\w+\}/g)].map((m) => m[1]));
  }
  return found;
}

function bodyProblems(name, body, interfaces, outer = '') {
  const type = outer + camel(name.replace(/^aws_/, ''));
  const known = interfaces[outer ? type : type + 'Config'];
  if (!known) return [`there is no ${name}`];
  const attributes = Object.entries(body.attributes).flatMap(([key, value]) => {
    const values = enumerated[`${name}.${key}`];
    if (!known.has(key)) return [`${name} has no ${key}`];
    return values && !values.includes(value) ? [`${name}.${key} cannot be ${value}`] : [];
  });
  const blocks = body.blocks.flatMap((b) => (known.has(b.type) ? bodyProblems(b.type, b.body, interfaces, type) : [`${name} has no ${b.type}`]));
  return [...attributes, ...blocks];
}

function camel(name) {
  return name.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase());
}
