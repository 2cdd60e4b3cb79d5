// A check that cannot fail proves nothing: each word is misspelt once, and that has to be found.

// masked has blanks in the place of what may be any text, where that stands by itself: a
// hop limit of 2 says nothing of the 2 in v2.0.
export function masked(text, free) {
  for (const phrase of [...free].sort((a, b) => b.length - a.length)) {
    text = text.replace(alone(phrase), (found) => ' '.repeat(found.length));
  }
  return text;
}

function alone(phrase) {
  const before = /^\w/.test(phrase) ? '(?<![\\w.])' : '';
  const after = /\w$/.test(phrase) ? '(?![\\w.])' : '';
  return new RegExp(before + phrase.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&') + after, 'g');
}

// decisive are words of values on which everything depends (the last is of no-preference).
const decisive = ['v2.0', 'required', 'optional', 'enabled', 'preference'];

// notMisspelt are those of them that are not among the words that were.
export function notMisspelt(words) {
  return decisive.filter((w) => !words.includes(w));
}

// mutants are the text with one word of three letters or more misspelt, each word once.
// Where it is looked for is told by within, which has the length of the text.
export function mutants(text, within = text) {
  const found = new Map();
  for (const match of within.matchAll(/(?<![$\w])[A-Za-z][A-Za-z0-9.]{2,}/g)) {
    const word = match[0];
    if (!found.has(word)) {
      const misspelt = word.slice(0, 1) + word.slice(2);
      found.set(word, text.slice(0, match.index) + misspelt + text.slice(match.index + word.length));
    }
  }
  return found;
}
