// Package notify tells people and programs outside what happened: by webhooks that
// an organisation registers, and, where the operator of the node gives it a mail
// server, by mail.
//
// # Webhooks
//
// A hook is an https address, the kinds of events that it is told, and a secret that
// signs what is sent, as Standard Webhooks lays down. The consumer notify.hooks
// writes a delivery for each event and hook in the transaction that moves its cursor;
// the job notify.deliver sends what is due of one hook, in order, and writes down how
// it went. So a delivery is attempted at least once whatever happens, with the same
// webhook-id at each attempt. What fails is tried again for a day, ever more slowly;
// a hook that fails for days is stopped, and its people are told.
//
// A message holds the kind, the subject, the time and links; never content. Whoever
// registered the hook must still be allowed to see what it tells when it is sent.
//
// # Mail
//
// Mail waits as the job notify.mail, sealed with the node's key, until the server
// took it. The consumer notify.alerts writes to those whom an event of security
// concerns. Without a mail server nothing is queued.
//
// # Tables and events
//
// Owns notify_hook and notify_delivery. Writes webhook.made, webhook.changed,
// webhook.removed, webhook.tested, webhook.replayed and webhook.stopped. Reads the
// events of every room by their names and subjects only.
package notify
