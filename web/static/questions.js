/**
 * What has to be asked before something can be done: which number, which lane, which reason. Each question is answered
 * by one key. They ask through `desk` (an `Actions`) and keep nothing.
 */

import { minutesText } from "./clock.js";
import { find } from "./numbers.js";

const NONE = {
  return: "お呼び済みの番号はありません。",
  resume: "保留している番号はありません。",
  ready: "審査中の番号はありません。",
};
const UNKNOWN = "お待ちの番号にありません。番号を確かめてください。";
const AT_ANOTHER = "ほかの窓口でお呼びしている番号です。";
const NO_REASONS = "番号を指定してお呼びする理由が、設定にありません。";
const NO_LANES = "番号をお渡しできる業務が、いまはありません。";

/** Each asks, and sends what was chosen. */
export const QUESTIONS = {
  return: (desk) =>
    which(desk, "return", "どの番号の方が戻られましたか", desk.ownFirst(desk.picture.missedNumbers()), (missed) =>
      desk.send("return", { type: "return", ticket: missed.arrival }),
    ),
  resume: (desk) =>
    which(desk, "resume", "保留しているどの番号をお呼びしますか", desk.ownFirst(desk.picture.heldNumbers()), (held) =>
      desk.call(held),
    ),
  ready: (desk) =>
    which(desk, "ready", "どの番号の交付の準備ができましたか", desk.ownFirst(desk.picture.reviewedNumbers()), (done) =>
      desk.send("ready", { type: "ready", ticket: done.arrival }),
    ),
  transfer: askLane,
  cancel: confirmCancel,
  issue: askIssue,
  lane: askPause,
  number: askNumber,
};

function which(desk, action, title, numbers, chosen) {
  if (numbers.length === 0) return desk.tell({ refusal: NONE[action] });
  const choices = numbers.map((number) => ({ text: namedLong(desk, number), value: number }));
  return desk.question(null, title, choices, chosen);
}

function namedLong({ picture }, { number, lane, until }) {
  const deadline = until === undefined ? "" : `（${minutesText(until)} まで）`;
  return `${number}　${picture.laneName(lane)}${deadline}`;
}

function askLane(desk, number) {
  const lanes = [...desk.picture.lanes.values()].filter(({ lane }) => lane !== number.lane);
  const choices = lanes.map(({ lane, name }) => ({ text: name, value: lane }));
  choices.push({ key: "c", text: "窓口を決めて転送する", value: null });
  desk.question(number, `${number.number} をどの業務へ転送しますか`, choices, (lane) =>
    lane === null
      ? askCounter(desk, number)
      : desk.send("transfer", { type: "transfer", ticket: number.arrival, lane }),
  );
}

/** The number is then called by that counter alone, for the present business where the counter serves it. */
function askCounter(desk, number) {
  const { picture } = desk;
  const counters = picture.counters.filter(({ lanes }) => lanes.length > 0);
  const target = ({ lanes }) => (lanes.includes(number.lane) ? number.lane : lanes[0]);
  const choices = counters.map((counter) => ({
    text: `${counter.name}（${picture.laneName(target(counter))}）`,
    value: counter,
  }));
  desk.question(number, `${number.number} をどの窓口へ転送しますか`, choices, (counter) =>
    desk.send("transfer", {
      type: "transfer",
      ticket: number.arrival,
      lane: target(counter),
      counter: counter.counter,
    }),
  );
}

function confirmCancel(desk, number) {
  const yes = { key: "y", text: `はい、${number.number} を取り消します`, value: number.arrival };
  desk.question(number, `${number.number} を取り消しますか`, [yes], (ticket) =>
    desk.send("cancel", { type: "cancel", ticket }),
  );
}

function askReason(desk, number) {
  const { reasons } = desk.picture;
  if (reasons.length === 0) return desk.tell({ refusal: NO_REASONS });
  const choices = reasons.map(({ reason, name }) => ({ text: name, value: reason }));
  return desk.question(number, `${number.number} を先にお呼びする理由`, choices, (reason) =>
    desk.call(number, reason),
  );
}

function askIssue(desk, title = "どの業務の番号をお渡ししますか", priority = undefined) {
  const { picture } = desk;
  const lanes = [...picture.lanes.values()].filter(({ offered, closing, paused }) => offered && !closing && !paused);
  if (lanes.length === 0) return desk.tell({ refusal: NO_LANES });
  const choices = lanes.map(({ lane, name }) => ({ text: name, value: { lane } }));
  const classes = priority === undefined ? picture.priorities.filter(({ given_by }) => given_by.includes("desk")) : [];
  for (const [place, { priority: key, name }] of classes.entries())
    choices.push({ key: "pqxyz"[place], text: `「${name}」の番号をお渡しする`, value: { key, name } });
  return desk.question(null, title, choices, ({ lane, key, name }) =>
    lane === undefined
      ? askIssue(desk, `「${name}」：どの業務の番号をお渡ししますか`, key)
      : desk.slips.issue(desk, lane, priority),
  );
}

function askPause(desk) {
  const { picture } = desk;
  const choices = [...picture.lanes.values()]
    .filter(({ offered }) => offered)
    .map((lane) => ({ text: `${lane.name}　${lane.paused ? "発券を再開する" : "発券を休止する"}`, value: lane }));
  desk.question(null, "どの業務の発券を変えますか", choices, ({ lane, name, paused }) => {
    if (paused) return desk.send("lane", { type: "resume", lane });
    const reasons = picture.pauseReasons.map(({ reason, name: why }) => ({ text: why, value: reason }));
    return desk.question(null, `${name}の発券を休止する理由`, reasons, (reason) =>
      desk.send("lane", { type: "pause", lane, reason }),
    );
  });
}

/** What can be done with a number that somebody typed, by where it stands. */
function askNumber(desk, typed) {
  const number = find(desk.picture, typed);
  if (number === null) return desk.tell({ refusal: `${typed}：${UNKNOWN}` });
  if (number.where === "called" && number.counter !== desk.counter)
    return desk.tell({ refusal: `${typed}：${AT_ANOTHER}` });
  const { picture } = desk;
  const choices = CHOICES.filter(({ where, when }) => where.includes(number.where) && (!when || when(picture, number)));
  return desk.question(
    number,
    `${typed}　${picture.laneName(number.lane)}　${STANDS[number.where]}`,
    choices.map(({ text, run }) => ({ text, value: run })),
    (run) => run(desk, number),
  );
}

const STANDS = {
  called: "お呼び出し中",
  missed: "不在",
  held: "保留",
  review: "審査中",
  waiting: "お待ち",
};

const CHOICES = [
  { where: ["waiting"], text: "先にお呼びする（理由を選ぶ）", run: askReason },
  { where: ["held"], text: "お呼びする", run: (desk, number) => desk.call(number) },
  {
    where: ["missed"],
    text: "不在から戻す",
    run: (desk, { arrival }) => desk.send("return", { type: "return", ticket: arrival }),
  },
  {
    where: ["review"],
    text: "交付の準備ができた",
    run: (desk, { arrival }) => desk.send("ready", { type: "ready", ticket: arrival }),
  },
  { where: ["called", "waiting", "held", "missed", "review"], text: "転送する", run: askLane },
  {
    where: ["called", "waiting", "held", "missed", "review"],
    text: "番号札を再発行する",
    run: (desk, number) => desk.slips.reissue(desk, number),
  },
  { where: ["called", "waiting", "held", "missed"], text: "取り消す", run: confirmCancel },
  {
    where: ["waiting", "held", "missed", "review"],
    when: (picture, { lane }) => picture.lanes.get(lane)?.closing,
    text: "受付終了のため、お手続きなしで終える",
    run: (desk, { arrival }) => desk.send("lapse", { type: "lapse", ticket: arrival }),
  },
];
