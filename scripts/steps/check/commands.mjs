// Commands are run by sh with the real AWS CLI, whose plugin steps_check.py takes the place
// of the calls.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { masked, mutants, notMisspelt } from './mutate.mjs';

const atOnce = 2;

// free are the texts in commands that people may choose.
const free = [
  'require-imdsv2', 'requires IMDSv2', 'does not require IMDSv2', 'Instances require IMDSv2', '$metric-all', '\\"all\\"', '>/dev/null', '</dev/null',
];

export async function checkCommands(files, samples, fail) {
  const calls = new Map();
  await each(files, async (file) => {
    const text = readFileSync(file, 'utf8');
    const result = await run(file, text);
    calls.set(file, result.calls);
    if (result.failed) fail(file, result.error);
    for (const id of listed(text)) {
      if (!result.calls.some((c) => JSON.stringify(c.parameters).includes(id))) fail(file, `nothing was called for ${id}`);
    }
  });
  const wrong = wrongOnes(files, samples);
  for (const word of notMisspelt(wrong.map((w) => w.word))) fail('commands', `${word} is nowhere misspelt`);
  await each(wrong, async ({ file, word, text }) => {
    if (!(await run(file, text)).failed) fail(file, `that ${word} is misspelt was not found`);
  });
  return { calls, wrong: wrong.length };
}

async function each(all, act) {
  const left = [...all];
  const worker = async () => {
    while (left.length > 0) await act(left.shift());
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

// listed are the instances of a here-document.
function listed(text) {
  const document = text.split("<<'END'\n")[1] ?? '';
  return [...document.matchAll(/^i-\S+/gm)].map((m) => m[0]);
}

// run gives what a command has called, and whether it has failed: a loop says that, and
// goes on.
function run(file, text) {
  const dir = mkdtempSync(join(tmpdir(), 'steps-'));
  cpSync(dirname(file), dir, { recursive: true });
  const script = join(dir, basename(file));
  const log = join(dir, 'calls');
  writeFileSync(script, text);
  const env = { ...process.env, STEPS_CALLS: log };
  return new Promise((resolve) => {
    execFile('sh', ['-eu', script], { cwd: dir, env, timeout: 120_000 }, (error, _, stderr) => {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
      rmSync(dir, { recursive: true });
      const failed = Boolean(error) || /FAILED/.test(stderr) || lines.length === 0;
      resolve({ failed, error: stderr.trim() || String(error), calls: lines.map((l) => JSON.parse(l)) });
    });
  });
}

// wrongOnes are commands with a word misspelt: each word of each command line once, also if
// it is in several files.
function wrongOnes(files, samples) {
  const seen = new Set();
  const wrong = [];
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const [word, changed] of mutants(text, ofCommands(masked(text, [...samples, ...free])))) {
      const key = `${text.match(/aws (\S+ \S+)/)[1]} ${word}`;
      if (!seen.has(key)) wrong.push({ file, word, text: changed });
      seen.add(key);
    }
  }
  return wrong;
}

// ofCommands blanks what belongs to no call: comments, the words of loops, lists.
function ofCommands(text) {
  let inside = false;
  return text.split('\n').map((line) => {
    const call = line.match(/\baws |\bquery=|^for metric in /);
    if (!line.startsWith('#') && (inside || call)) {
      inside = line.endsWith('\\');
      const start = inside || call ? (call?.index ?? 0) : 0;
      return ' '.repeat(start) + line.slice(start).replace(/^for metric in|; do$/g, (w) => ' '.repeat(w.length));
    }
    inside = false;
    return ' '.repeat(line.length);
  }).join('\n');
}
