/** Where a message leads: on to the page of the number that this browser holds, if it holds one. */

import { keptSecrets } from "./residents.js";

const secret = keptSecrets().at(-1);
if (secret) location.replace(`/t#${secret}`);
