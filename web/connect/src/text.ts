// SPDX-License-Identifier: Apache-2.0
// Every word that a person reads, by language.
const en = {
  title: 'Connect an account', choose: 'Choose what to connect', search: 'Search', none: 'Nothing matches.', connect: 'Connect', again: 'Reconnect',
  back: 'Back', close: 'Close', cancel: 'Cancel', retry: 'Try again', finish: 'Finish', loading: 'Loading…', waiting: 'Waiting for the other window…', working: 'Connecting…',
  linked: 'Connect {0}', done: 'Connected', doneText: '{0} is connected. You can close this window.', optional: 'optional', docs: 'How to find these', show: 'Show', hide: 'Hide',
  required: 'Please fill this in.', wrong: 'This does not have the expected form.', popup: 'A window opens in which you sign in to {0}.', failed: 'Something went wrong',
  empty: 'There is nothing to connect yet. Please ask who sent you here.', unsupported: 'This way of signing in is not available here yet.',
  blocked: 'Your browser blocked the sign-in window. Allow pop-ups for this page and try again.', closed: 'The sign-in window was closed before the end.',
  test: 'The credentials were not accepted. Check them and try again.', capped: 'No more connections can be made. Please ask who sent you here.',
  expired: 'This link has expired. Please ask for a new one.', noToken: 'No session was received. Close this and try again.', network: 'The server cannot be reached. Check your connection and try again.',
  notAllowed: 'This integration is not open to you.', invalid: 'Some of what was entered was not accepted.', username: 'User name', password: 'Password', apiKey: 'API key', details: 'Details',
};
export type Words = typeof en;
const de: Words = {
  title: 'Konto verbinden', choose: 'Was möchten Sie verbinden?', search: 'Suchen', none: 'Nichts gefunden.', connect: 'Verbinden', again: 'Neu verbinden',
  back: 'Zurück', close: 'Schließen', cancel: 'Abbrechen', retry: 'Erneut versuchen', finish: 'Fertig', loading: 'Wird geladen…', waiting: 'Warten auf das andere Fenster…', working: 'Wird verbunden…',
  linked: '{0} verbinden', done: 'Verbunden', doneText: '{0} ist verbunden. Sie können dieses Fenster schließen.', optional: 'optional', docs: 'Wo finde ich das?', show: 'Zeigen', hide: 'Verbergen',
  required: 'Bitte ausfüllen.', wrong: 'Das hat nicht die erwartete Form.', popup: 'In einem neuen Fenster melden Sie sich bei {0} an.', failed: 'Etwas ist schiefgegangen',
  empty: 'Es gibt noch nichts zu verbinden. Bitte wenden Sie sich an den Absender.', unsupported: 'Diese Art der Anmeldung gibt es hier noch nicht.',
  blocked: 'Ihr Browser hat das Anmeldefenster blockiert. Erlauben Sie Pop-ups für diese Seite und versuchen Sie es erneut.', closed: 'Das Anmeldefenster wurde vorzeitig geschlossen.',
  test: 'Die Zugangsdaten wurden nicht angenommen. Prüfen Sie sie und versuchen Sie es erneut.', capped: 'Weitere Verbindungen sind nicht möglich. Bitte wenden Sie sich an den Absender.',
  expired: 'Dieser Link ist abgelaufen. Bitte fordern Sie einen neuen an.', noToken: 'Es kam keine Sitzung an. Schließen Sie dies und versuchen Sie es erneut.', network: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es erneut.',
  notAllowed: 'Diese Integration ist für Sie nicht freigegeben.', invalid: 'Einige Eingaben wurden nicht angenommen.', username: 'Benutzername', password: 'Passwort', apiKey: 'API-Schlüssel', details: 'Einzelheiten',
};
const fr: Words = {
  title: 'Connecter un compte', choose: 'Que voulez-vous connecter ?', search: 'Rechercher', none: 'Aucun résultat.', connect: 'Connecter', again: 'Reconnecter',
  back: 'Retour', close: 'Fermer', cancel: 'Annuler', retry: 'Réessayer', finish: 'Terminer', loading: 'Chargement…', waiting: 'En attente de l’autre fenêtre…', working: 'Connexion…',
  linked: 'Connecter {0}', done: 'Connecté', doneText: '{0} est connecté. Vous pouvez fermer cette fenêtre.', optional: 'facultatif', docs: 'Où trouver ces informations', show: 'Afficher', hide: 'Masquer',
  required: 'Veuillez remplir ce champ.', wrong: 'Le format n’est pas celui attendu.', popup: 'Une fenêtre s’ouvre pour vous connecter à {0}.', failed: 'Un problème est survenu',
  empty: 'Il n’y a encore rien à connecter. Adressez-vous à l’expéditeur.', unsupported: 'Ce mode de connexion n’est pas encore disponible ici.',
  blocked: 'Votre navigateur a bloqué la fenêtre de connexion. Autorisez les fenêtres pour cette page et réessayez.', closed: 'La fenêtre de connexion a été fermée avant la fin.',
  test: 'Les identifiants ont été refusés. Vérifiez-les et réessayez.', capped: 'Aucune connexion de plus n’est possible. Adressez-vous à l’expéditeur.',
  expired: 'Ce lien a expiré. Demandez-en un nouveau.', noToken: 'Aucune session reçue. Fermez et réessayez.', network: 'Le serveur est injoignable. Vérifiez votre connexion et réessayez.',
  notAllowed: 'Cette intégration ne vous est pas ouverte.', invalid: 'Une partie de la saisie a été refusée.', username: 'Nom d’utilisateur', password: 'Mot de passe', apiKey: 'Clé d’API', details: 'Détails',
};
const es: Words = {
  title: 'Conectar una cuenta', choose: '¿Qué quiere conectar?', search: 'Buscar', none: 'Sin resultados.', connect: 'Conectar', again: 'Volver a conectar',
  back: 'Atrás', close: 'Cerrar', cancel: 'Cancelar', retry: 'Reintentar', finish: 'Terminar', loading: 'Cargando…', waiting: 'Esperando a la otra ventana…', working: 'Conectando…',
  linked: 'Conectar {0}', done: 'Conectado', doneText: '{0} está conectado. Puede cerrar esta ventana.', optional: 'opcional', docs: 'Dónde encontrar estos datos', show: 'Mostrar', hide: 'Ocultar',
  required: 'Rellene este campo.', wrong: 'No tiene la forma esperada.', popup: 'Se abrirá una ventana para iniciar sesión en {0}.', failed: 'Algo ha ido mal',
  empty: 'Todavía no hay nada que conectar. Consulte a quien le envió aquí.', unsupported: 'Esta forma de iniciar sesión aún no está disponible aquí.',
  blocked: 'El navegador bloqueó la ventana. Permita las ventanas emergentes para esta página y reintente.', closed: 'La ventana se cerró antes de terminar.',
  test: 'Las credenciales no fueron aceptadas. Revíselas y reintente.', capped: 'No se pueden crear más conexiones. Consulte a quien le envió aquí.',
  expired: 'Este enlace ha caducado. Pida uno nuevo.', noToken: 'No se recibió ninguna sesión. Cierre y reintente.', network: 'No se puede contactar con el servidor. Revise su conexión y reintente.',
  notAllowed: 'Esta integración no está disponible para usted.', invalid: 'Parte de lo introducido no fue aceptado.', username: 'Usuario', password: 'Contraseña', apiKey: 'Clave de API', details: 'Detalles',
};
const all: Record<string, Words> = { en, de, fr, es };
const wanted = [new URLSearchParams(location.search).get('lang'), ...navigator.languages].map((tag) => (tag ?? '').slice(0, 2).toLowerCase());
export const language = wanted.find((tag) => tag in all) ?? 'en';
export const words = all[language];
export const fill = (text: string, value: string) => text.replace('{0}', () => value);

const byCode: Record<string, keyof Words> = {
  blocked_by_browser: 'blocked', window_closed: 'closed', connection_test_failed: 'test', connection_validation_failed: 'test', resource_capped: 'capped',
  unknown_connect_session_token: 'expired', invalid_connect_session_token_format: 'expired', missing_auth_header: 'expired', no_token: 'noToken',
  network: 'network', integration_not_allowed: 'notAllowed', invalid_body: 'invalid', invalid_query_params: 'invalid', invalid_auth_mode: 'unsupported', empty: 'empty', unsupported: 'unsupported',
};
export const explain = (code: string) => (code in byCode ? words[byCode[code]] : '');
