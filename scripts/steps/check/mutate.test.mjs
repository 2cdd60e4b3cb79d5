import assert from 'node:assert/strict';
import { test } from 'node:test';
import { masked, mutants, notMisspelt } from './mutate.mjs';

test('what may be any text is masked where it stands by itself', () => {
  const command = '--imds-support v2.0 --limit 2 --region eu-west-1 --name i-2,i-22 "2" >/dev/null $metric-all 12';
  const want = '--imds-support v2.0 --limit   --region           --name    ,i-22 " "                        12';
  assert.equal(masked(command, ['2', 'eu-west-1', 'i-2', '>/dev/null', '$metric-all']), want);
});

test('each word is misspelt once, but for those that are masked', () => {
  const text = 'aws ec2 --imds-support v2.0 --limit 2 v2.0';
  const found = mutants(text, masked(text, ['2', 'aws']));
  assert.deepEqual([...found.keys()], ['ec2', 'imds', 'support', 'v2.0', 'limit']);
  assert.equal(found.get('v2.0'), 'aws ec2 --imds-support v.0 --limit 2 v2.0');
});

test('values on which everything depends have to be misspelt', () => {
  assert.deepEqual(notMisspelt(['required', 'optional', 'enabled', 'preference', 'aws']), ['v2.0']);
  assert.deepEqual(notMisspelt(['required', 'optional', 'enabled', 'preference', 'v2.0']), []);
});
