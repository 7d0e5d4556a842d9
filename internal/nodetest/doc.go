// Package nodetest runs several real nodes in one process and lets organisations on
// them act: what they tell each other, what arrives, and what must not.
//
// A world is declared as a struct ([World]) and started by a test; every node listens on
// loopback, has its own database and key, runs its own workers, and is reached by the
// others through a [Link] that a story can slow down, cut or let corrupt bytes.
//
// Stories are txtar scripts. A line begins with who acts:
//
//	beanline invites rosthof supplier
//	rosthof accepts beanline
//	rosthof says advisory leak.json as amber to beanline
//	settle
//	beanline sees advisory/ROST-1 of rosthof
//	stdout 'TLP:AMBER'
//	! nordhost holds 'the valve may open'
//
// Every organisation is a command, also with a role: beanline/lead is its security
// lead. The verbs are described at [Organisation]. What is said and read goes over HTTP,
// by the API of the node and a token of the person, so that it is the node that decides
// what they may; what takes a browser is done as one does it, and only what the API has
// no operation for is asked of the services as that person.
package nodetest
