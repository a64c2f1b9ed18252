/** In what HAProxy 2.6 reads the corpus otherwise than its fates say, by names of cases, and why that is borne. */
export interface Difference {
  readonly cases: RegExp;
  readonly why: string;
}

export const haproxyDifferences: readonly Difference[] = [
  {
    cases: /^(?:TE\.TE|CL\.TE|length line|field|host) ".*(?:\\r\\n(?: |\\t)|\\n)/,
    why: 'it joins folded lines and takes a bare line feed for the end of one, and writes what it has read anew',
  },
  { cases: /^(?:bare line feeds|a bare line feed)/, why: 'the same, and the connection stays open' },
  {
    cases: /^(?:CL\.TE|TE\.CL|CL\.TE with a length of 0|CL\.TE on GET)$/,
    why: 'chunked coding wins; the length is taken out before an instance sees it',
  },
  { cases: /^length (?:"2, ?2"|line "Content-Length: 2\\r\\nContent-Length: 2")/, why: 'equal lengths are one; an instance sees it once' },
  {
    cases: /^length "18446744073709551618" after a good one$/,
    why: 'it counts modulo 2^64 when it compares lengths; an instance sees the first one',
  },
  { cases: /^chunked with a tab /, why: 'it takes a tab for white space, and writes the coding anew' },
  { cases: /^chunk size /, why: 'it does not look at extensions, ends them at a bare line feed, and writes sizes anew' },
  { cases: /^chunks: /, why: 'it takes a bare line feed for the end of a line of chunked coding, and joins folded trailers' },
  { cases: /^(?:chunks: a trailer|a trailer with a (?:length|coding))/, why: 'it passes trailers on as they are' },
  {
    cases: /^request line "GET(?:\\t| http:\/\/user@| http:\/\/\/)/,
    why: 'it takes tabs in a request line and the path of any absolute target; the Host header decides',
  },
  { cases: /^field "Expect: 100-continue, x"$/, why: 'it looks at the last value only' },
  { cases: /^host " app\.test\\r\\nHost: app\.test"$/, why: 'equal hosts are one; an instance sees it once' },
  { cases: /^nothing after an upgrade to TLS is read$/, why: 'an offer to upgrade that is not taken up does not end the connection' },
];
