/** Words that carry no subject; a question made of them alone says nothing to search for. */
const stopWords = new Set(
  `a about after again ago all already also always am an and another any anyone anything are as asap at back be because been before being but by can cannot cant could
  did didnt do does doesnt doing done dont each else ever every everything few find for from get gets getting give go going gone good got had has have
  havent having he hello help her here hey hi his how however i id if ill im in into is isnt issue issues it its ive just keep know last let like look looking lot
  made make many may maybe me mean might mine morning more most must my need never no not now of off often ok okay on once one only or other our out over own
  please possible problem problems question really right same say says see seem she should since so some someone something soon still stuff such take takes tell than thank thanks that thats
  the their them then there these they thing things this those through time to today told too tried try trying under until up us use used using very via want was week weeks went
  way we were what whats when where which while who why will with without wont work works would yes yesterday yet you your yours`.split(
    /\s+/,
  ),
);

const irregular: Readonly<Record<string, string>> = {
  paid: 'pay',
  bought: 'buy',
  broke: 'broken',
  sent: 'send',
  lost: 'lose',
  stolen: 'steal',
};

/** The words of a text, lower case, without accents and apostrophes, in order. */
export function words(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f'’]/g, '')
    .toLowerCase();
  return plain.replaceAll(/\b(wi|e)-(?=fi|mail)/g, '$1').match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The subject words of a text, stemmed, each once, in order. */
export function terms(text: string): string[] {
  return [...new Set(words(text).flatMap((word) => subject(word) ?? []))];
}

/** The stem of a word; undefined for a word that carries no subject. */
export function subject(word: string): string | undefined {
  return stopWords.has(word) ? undefined : stem(word);
}

/**
 * A light English stemmer: plural, -ing, -ed, -ment, -ation, -ion and a final e or y go, a doubled end is single. It need not give words,
 * it must only give the same for `cancel`, `cancelled` and `cancellation`.
 */
export function stem(word: string): string {
  const regular = irregular[word] ?? word;
  const singular = regular
    .replace(/(?<=..)ies$/, 'y')
    .replace(/(?<=s|x|z|ch|sh)es$/, '')
    .replace(/(?<=..[^siu])s$/, '');
  const root = singular.replace(/(?<=[a-z]{3})(?:ing|ed|ment|ation|ion)$/, '').replace(/(?<=[a-z]{3})[ey]$/, '');
  return root.replace(/([a-z])\1$/, '$1');
}
