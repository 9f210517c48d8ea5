/** One message in words: what it was about, how it stands, and since when. */

import { minutesText } from "./clock.js";
import { h } from "./dom.js";

const ABOUT = {
  registered: "登録の確認",
  near: "順番が近づいたお知らせ",
  now: "お呼び出しのお知らせ",
  missed: "お呼び済みのお知らせ",
  ready: "交付の準備ができたお知らせ",
  jump: "順番が早まったお知らせ",
  delayed: "遅れのお知らせ",
};
const STATE = {
  pending: "お送りしています",
  claimed: "お送りしています",
  sending: "お送りしています",
  accepted: "お送りしました",
  uncertain: "届いていない場合があります",
  refused: "届きませんでした",
  lapsed: "お送りしませんでした",
};

export function sentLine({ about, state, at }) {
  return h("li", {}, h("time", {}, minutesText(at)), ` ${ABOUT[about] ?? about}: ${STATE[state] ?? state}`);
}
