/** What happened to a number, in the words of a desk. They follow the number itself. */

export const NEWS = {
  TicketCalled: () => "をお呼びしました。",
  TicketRecalled: ({ calls }) => `を再度お呼びしました（${calls}回目）。`,
  CallTakenBack: ({ state }) => `の呼び出しを取り消しました（${state === "held" ? "保留" : "もとの順番"}に戻りました）。`,
  TicketMarkedAbsent: () => "を不在にしました。",
  TicketServed: () => "を完了しました。",
  TicketHeld: () => "を保留にしました。",
  TicketSentToReview: () => "を審査に回しました。",
  TicketReady: ({ lane }, picture) => `の交付の準備ができました（${picture.laneName(lane)}でお呼びします）。`,
  TicketReturned: ({ lane }, picture) => `の方が戻られました（${picture.laneName(lane)}でお待ちです）。`,
  TicketCancelled: () => "を取り消しました。",
  TicketLapsed: () => "を、お手続きなしで終えました。",
  TicketTransferred: ({ lane, for_counter }, picture) =>
    `を${picture.laneName(lane)}${for_counter ? `の${picture.counterName(for_counter)}` : ""}へ転送しました。`,
};
