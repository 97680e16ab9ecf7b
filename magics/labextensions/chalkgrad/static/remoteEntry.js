// Colours of `%%graph` cells in JupyterLab and Notebook: what the build of an extension would make,
// by hand. Its modules are JupyterLab's own, from the scope in which extensions share them.
(() => {
  const HEAD = /^(?:[ \t]*(?:#[^\n]*)?\n)*%%graph(?!\w)[^\n]*/;
  const LONGEST = 50000; // characters that are coloured
  const STATEMENT = /^(?:dim|input|param|const|repeat|from|import|return)$/;
  const RESERVED = /^(?:for|in|if|else|and|or|not|where)$/;
  const LETTER = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿΆΈ-ώϏ-Ͽ";
  const PIECE = RegExp(
    [
      "(\\n)",
      "(#[^\\n]*)",
      '("[^"\\n]*"?)',
      "([0-9]+(?:_[0-9]+)*(?:\\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\\.[0-9]+(?:[eE][+-]?[0-9]+)?|[½⅓⅔¼¾])",
      `([${LETTER}][${LETTER}0-9_₀-₉\u0300-\u036f]*)`,
      "([()[\\]])",
      "(\\S)",
    ].join("|"),
    "gu"
  );
  const KINDS = ["comment", "text", "number", "name", "bracket", "operator"];
  const COLOURS = {
    keyword: "keyword", function: "def", name: "variable", number: "number", text: "string",
    comment: "comment", bracket: "bracket", operator: "operator",
  };

  // The pieces of a text that are no blanks: [start, end, kind], none if it is no cell of graphs.
  const pieces = (text) => {
    const head = text.length <= LONGEST && HEAD.exec(text);
    if (!head) return [];
    const start = head[0].lastIndexOf("%%graph");
    const found = [[start, start + "%%graph".length, "keyword"]];
    let first = "", depth = 0; // the first word of the line, the brackets that are open
    PIECE.lastIndex = head[0].length;
    for (let m; (m = PIECE.exec(text)); ) {
      if (m[1]) { first = ""; continue; }
      let kind = KINDS[m.slice(2).findIndex(Boolean)];
      const word = m[0], end = m.index + word.length;
      if (kind === "bracket") depth = Math.max(0, depth + ("([".includes(word) ? 1 : -1));
      if (kind === "name") {
        const opens = !first && !depth && STATEMENT.test(word);
        const called = text[end] === "(";
        const reserved = RESERVED.test(word) && !(word === "where" && called);
        if (reserved || opens || (first === "from" && word === "import")) kind = "keyword";
        else if (called) kind = "function";
      }
      first = first || word;
      found.push([m.index, end, kind]);
    }
    return found;
  };

  const colours = ({ Decoration, EditorView, ViewPlugin }, { Prec }) => {
    const marks = {}, rules = {};
    for (const [kind, colour] of Object.entries(COLOURS)) {
      marks[kind] = Decoration.mark({ class: `cg-${kind}` });
      // within it stands what Python's highlighting makes of the same piece
      rules[`.cg-${kind}, .cg-${kind} span`] = {
        color: `var(--jp-mirror-editor-${colour}-color)`,
        fontWeight: kind === "keyword" ? "bold" : "normal",
        fontStyle: kind === "comment" ? "italic" : "normal",
      };
    }
    const drawn = (view) =>
      Decoration.set(pieces(view.state.doc.toString()).map(([a, b, kind]) => marks[kind].range(a, b)));
    const plugin = ViewPlugin.define(
      (view) => ({
        decorations: drawn(view),
        update(change) {
          if (change.docChanged) this.decorations = drawn(change.view);
        },
      }),
      { decorations: (value) => value.decorations }
    );
    return [Prec.lowest(plugin), EditorView.baseTheme(rules)];
  };

  // A shared module: the copy that is in use, else the newest, as JupyterLab itself would choose.
  const shared = async (scope, name) => {
    const newestLast = Object.entries(scope[name]).sort(([a], [b]) =>
      a.localeCompare(b, undefined, { numeric: true }));
    const copies = newestLast.map(([, copy]) => copy).reverse();
    return (await (copies.find((copy) => copy.loaded) || copies[0]).get())();
  };

  let scope;
  const extension = async () => {
    const names = ["@codemirror/view", "@codemirror/state", "@jupyterlab/codemirror"];
    const [view, state, lab] = await Promise.all(names.map((name) => shared(scope, name)));
    return {
      id: "chalkgrad:colours",
      description: "Colours of %%graph cells.",
      autoStart: true,
      requires: [lab.IEditorExtensionRegistry],
      activate: (app, registry) =>
        registry.addExtension({
          name: "chalkgrad-colours",
          factory: () => lab.EditorExtensionRegistry.createImmutableExtension(colours(view, state)),
        }),
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB.chalkgrad = {
    init: (given) => { scope = given; },
    get: async () => {
      const plugin = await extension();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
