import { exit } from '../../lib/native/library.ts';
import { launcherNotes } from '../../lib/host/launcher-notes.ts';
import { main } from './cli.ts';

// The launcher's notes must not be seen by anything that tsrun starts.
launcherNotes();
void main(process.argv.slice(2)).then((status) => {
  exit(status);
});
