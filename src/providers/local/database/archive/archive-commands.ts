/**
 * What PostgreSQL runs through `sh` for each finished segment, and in recovery for each it wants. Both are fixed text: the server runs in
 * its data folder, so the archive is `../archive`, and no path of a user is ever part of a command. `%f` (a name of hexadecimal digits) and
 * `%p` (`pg_wal/` and that name) come from PostgreSQL itself.
 */

/**
 * Compresses to a name of its own, syncs, and links it into place: `ln` never replaces what is there, so a segment is in the archive whole
 * or not at all, and once it is there it stays as it is. Handed the same segment again (after a crash) it agrees only when the content is
 * the same. Partial segments, which PostgreSQL leaves at a fork of the timeline, are never read by a recovery.
 */
export const archiveCommand = [
  'case %f in *.partial) exit 0;; esac',
  'f=../archive/%f.gz',
  'if test -e $f; then gzip -t $f && gzip -dc $f | cmp -s - %p; exit $?; fi',
  't=../archive/%f.$$.part',
  'gzip -1 -n -c %p >$t && sync $t && ln $t $f && sync ../archive',
  's=$?',
  'rm -f $t',
  'exit $s',
].join('; ');

/** For a server that keeps no backups: everything is well without being kept, as the documentation of archive_command advises. */
export const noArchiveCommand = 'exit 0';

/** Segments that are not in the archive yet are taken from the server that is being replaced, whose folder is `../data`. */
export const restoreCommand = 'if test -e ../archive/%f.gz; then gzip -dc ../archive/%f.gz >%p; else cp ../data/pg_wal/%f %p; fi';

/** Seconds after which a segment that holds something is archived though it is not full: the most that a lost disk can cost. */
export const archiveTimeoutSeconds = 60;
