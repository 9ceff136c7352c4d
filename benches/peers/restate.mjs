// The nine-step workflow on Restate's TypeScript SDK: a handler whose steps are journaled by the server one by one.
// Usage: node restate.mjs <port>

// Node 20 lacks what the SDK takes for granted.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

const restate = await import("@restatedev/restate-sdk");
const nine = async (ctx, order) => {
  let sum = order.number;
  for (let step = 0; step < 9; step += 1) sum = await ctx.run(`step${step}`, () => sum + step);
  return sum;
};
restate.serve({ services: [restate.service({ name: "bench", handlers: { nine } })], port: Number(process.argv[2]) });
