// What every page inside an organisation gains from a script: search as one types,
// news as it happens, questions asked in place, and times in the reader's own zone.
// Each page works without it.
import { follow } from "./frame/live";
import { find } from "./frame/find";
import { ask } from "./frame/ask";
import { notices } from "./frame/notice";
import { zone } from "./frame/zone";

zone();
notices();
ask();
find();
follow();
