// The worker's side of the page: a race, and a training of digits, on one engine.

import type { Api } from "@stepwell/sdk";
import { decompress, unpack } from "./digits-data.js";
import type { Reply, Request } from "./messages.js";
import { RaceHost } from "./race-host.js";
import { TrainingHost } from "./training-host.js";

const raceRequests: ReadonlySet<string> = new Set(["start", "play", "pause", "step", "edit", "save", "restore"]);

/** Handles requests of the page. `post` sends a message to it, and `load` fetches the packed digits. */
export function serve(api: Api, post: (reply: Reply, transfer: Transferable[]) => void, load: () => Promise<Blob>) {
  const race = new RaceHost(api, post);
  const training = new TrainingHost(api, post, async () => unpack(await decompress(await load())));
  return (request: Request) => {
    if (isForRace(request)) race.take(request);
    else training.take(request);
  };
}

function isForRace(request: Request): request is Extract<Request, Parameters<RaceHost["take"]>[0]> {
  return raceRequests.has(request.type);
}
