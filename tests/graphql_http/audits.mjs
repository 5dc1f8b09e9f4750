// Which of the audits of GraphQL over HTTP does a server pass? Prints each one's id, name and result as JSON.
import { auditServer } from "graphql-http";

const [url, authorization] = process.argv.slice(2);
const results = await auditServer({
  url,
  fetchFn: (address, options = {}) =>
    fetch(address, { ...options, headers: { ...options.headers, authorization } }),
});
const shown = results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null }));
process.stdout.write(JSON.stringify(shown));
