/** What walls do, as the desk's topic tells it: the facts that only its picture must learn. */

function show(picture, { arrival, calls, wall }) {
  const called = picture.called.get(arrival);
  if (called?.calls === calls) picture.called.set(arrival, { ...called, shown: [...called.shown, wall] });
}

function joinWall(picture, { wall }) {
  leaveWall(picture, { wall });
  picture.walls.push(wall);
}

function leaveWall(picture, { wall }) {
  picture.walls = (picture.walls ?? []).filter((other) => other !== wall);
}

export const WALL_FACTS = { CallShown: show, WallJoined: joinWall, WallLeft: leaveWall };
