// What a library means by `process`; the functions themselves have no such variable.
const given = /* @__PURE__ */ require("process");
export { given as process };
