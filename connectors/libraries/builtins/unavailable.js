// A part of Node that functions do not have: it can be named, and fails when it is used.
module.exports = (name) => {
  const refuse = (path) => {
    const fail = () => {
      throw new Error(`${path} is not available in functions`);
    };
    return new Proxy(fail, {
      get(target, key) {
        if (typeof key === "symbol" || key in target || key === "__esModule") return target[key];
        return refuse(`${path}.${key}`);
      },
      construct: fail,
    });
  };
  return refuse(name);
};
