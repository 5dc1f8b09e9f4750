// A real OpenID provider on loopback. Its one argument is JSON: the clients, and for how many seconds a code lives.
// Prints its issuer in one line when it listens.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { clients, codeSeconds = 60 } = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    cookies: { keys: ['the cookies of a test'] },
    features: { devInteractions: { enabled: true } },
    ttl: { AuthorizationCode: codeSeconds, AccessToken: 60, IdToken: 60, Interaction: 600, Session: 600, Grant: 600 },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
