// Opens GraphiQL signed in as the person whom the page names, with ready-made operations in tabs, and shows
// that person's badge in the bar. The token lives in this page alone: another tab may be another person.
"use strict";

const { useEditorContext } = GraphiQL.React;
const { parse } = GraphiQL.GraphQL;

const opened = JSON.parse(document.getElementById("opened").textContent);
const authorization = opened.token ? { Authorization: `Bearer ${opened.token}` } : {};
const ask = GraphiQL.createFetcher({
  url: "/graphql",
  subscriptionUrl: `${location.origin.replace("http", "ws")}/graphql`,
  headers: authorization,
  wsConnectionParams: authorization,
  enableIncrementalDelivery: false,
});

const inJson = (value) => JSON.stringify(value, null, 2);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// ------------------------------------------------------------------------- the variables of the operations

const PLACES = `query Places {
  viewer {
    organization { locale }
    chats(first: 50) {
      nodes {
        id
        kind
        publishedCall { id }
        viewerActions
        calls(first: 10) { nodes { id status viewerActions } }
      }
    }
  }
}`;

const TITLES = { ru: "Консультация", fr: "Réunion", en: "Questions and answers" };

/** Where this person may create a call and which one may be published, the own class first; else what is there. */
async function variables() {
  const viewer = await places();
  const chats = (viewer?.chats.nodes ?? []).sort((one, other) => rank(one) - rank(other));
  const calls = chats.flatMap((chat) => chat.calls.nodes).filter((call) => call.status === "CREATED");
  const chat = chats.find((each) => each.viewerActions.includes("CREATE_CALL")) ?? chats[0];
  const call = calls.find((each) => each.viewerActions.includes("PUBLISH")) ?? calls[0];
  return {
    CreateCall: {
      input: {
        chatId: chat?.id ?? "",
        title: TITLES[viewer?.organization.locale] ?? TITLES.en,
        startsAt: nextHour(),
      },
    },
    PublishCall: { input: { callId: call?.id ?? "" } },
    CompleteProfileLink: { input: opened.link },
  };
}

async function places() {
  try {
    return (await ask({ query: PLACES, operationName: "Places" })).data?.viewer;
  } catch {
    return undefined; // the server is not there: GraphiQL will say so itself
  }
}

const rank = (chat) => (chat.publishedCall ? 2 : 0) + (chat.kind === "GROUP" ? 0 : 1);

function nextHour() {
  const hour = new Date();
  hour.setUTCMinutes(60, 0, 0);
  return hour.toISOString();
}

let created = null;

/** Part of the toolbar that shows nothing: the call made in CreateCall is the one that PublishCall names next. */
function CarryOver() {
  const { tabs, activeTabIndex, variableEditor } = useEditorContext({ nonNull: true });
  React.useEffect(() => {
    const tab = tabs[activeTabIndex];
    if (tab.title === "CreateCall") {
      created = createdIn(tab.response) ?? created;
    } else if (tab.title === "PublishCall" && created && variableEditor) {
      variableEditor.setValue(inJson({ input: { callId: created } }));
      created = null;
    }
  });
  return null;
}

function createdIn(response) {
  try {
    return JSON.parse(response).data.createCall.call.id;
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------------------------------------- the badge

const BADGES = "subscription Badges { badgesChanged { newCalls } }";

/** Listens for as long as the page is open: GraphiQL itself stops a subscription when one changes its tab. */
async function keepBadge() {
  const badge = document.getElementById("badge");
  const count = document.getElementById("count");
  badge.hidden = false;
  for (;;) {
    try {
      const answers = await ask({ query: BADGES, operationName: "Badges" }, { documentAST: parse(BADGES) });
      for await (const { data } of answers) {
        if (data) {
          show(badge, count, data.badgesChanged.newCalls);
        }
      }
    } catch {
      // The server stopped, or the token has ended.
    }
    badge.classList.add("silent");
    badge.title = "Not connected. If this stays, load the page again.";
    await pause(3000);
  }
}

function show(badge, count, newCalls) {
  count.classList.toggle("changed", count.value !== String(newCalls));
  count.value = String(newCalls);
  badge.classList.toggle("lit", newCalls > 0);
  badge.classList.remove("silent");
  badge.removeAttribute("title");
}

// --------------------------------------------------------------------------------------------- GraphiQL

/** What GraphiQL may keep between visits: its history and its looks, but neither tabs nor headers. */
const kept = {
  getItem: (key) => (isKept(key) ? localStorage.getItem(key) : null),
  setItem: (key, value) => isKept(key) && localStorage.setItem(key, value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => keys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return keys().length;
  },
};

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith("graphiql:"));
const isKept = (key) => !/:(tabState|query|variables|headers|operationName)$/.test(key);

async function start() {
  const prepared = opened.token ? await variables() : { CompleteProfileLink: { input: opened.link } };
  const headers = opened.token ? undefined : inJson({ Authorization: "Bearer " });
  const tabs = opened.operations.map(({ name, query }) => ({
    query,
    headers,
    variables: prepared[name] ? inJson(prepared[name]) : undefined,
  }));
  const page = React.createElement(GraphiQL, {
    fetcher: ask,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultTabs: tabs,
    variables: tabs[0].variables, // of the first tab GraphiQL takes the query alone
    defaultHeaders: headers,
    defaultEditorToolsVisibility: opened.token ? "variables" : "headers",
    toolbar: { additionalComponent: CarryOver },
    storage: kept,
    shouldPersistHeaders: false,
  });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
  if (opened.token) {
    keepBadge();
  }
}

start();
