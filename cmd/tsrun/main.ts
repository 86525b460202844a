import { exit } from '../../lib/native/library.ts';
import { startedWith } from '../../lib/host/origin.ts';
import { main } from './cli.ts';

// The launcher's notes must not be seen by anything that tsrun starts.
startedWith();
void main(process.argv.slice(2)).then((status) => {
  exit(status);
});
