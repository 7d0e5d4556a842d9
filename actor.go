package entente

// Role is what a person may do in one organisation. The decisions that hang on a
// role stand in one table in internal/identity.
type Role string

// The roles of an organisation, from the widest to the narrowest.
const (
	RoleOwner         Role = "owner"
	RoleSecurityLead  Role = "security-lead"
	RoleAnalyst       Role = "analyst"
	RoleBusinessOwner Role = "business-owner" // only the processes in Actor.Scope may be changed
	RoleProcurement   Role = "procurement"
	RoleAuditor       Role = "auditor" // reads everything, changes nothing
	RoleContact       Role = "contact" // a guest: only the partnership in Actor.Scope
	RoleSystem        Role = "system"  // the program itself, never a person
)

// Roles lists the roles that a person can hold.
func Roles() []Role {
	return []Role{RoleOwner, RoleSecurityLead, RoleAnalyst, RoleBusinessOwner, RoleProcurement, RoleAuditor, RoleContact}
}

// Valid says whether a person can hold the role.
func (r Role) Valid() bool {
	for _, known := range Roles() {
		if r == known {
			return true
		}
	}
	return false
}

// Door is the way by which an actor came in; it is kept in the journal.
type Door string

// The doors.
const (
	DoorPage    Door = "page"    // a session in a browser
	DoorAPI     Door = "api"     // an API token
	DoorCommand Door = "command" // the command line on the node itself
	DoorWorker  Door = "worker"  // the program, following the journal
)

// Actor is who does something, in which organisation and with which rights. It is
// an explicit argument of every service method, so that a forgotten identity does
// not compile. Only internal/identity makes actors for people.
type Actor struct {
	Org    OrgID
	Person PersonID // empty for the program itself
	Name   string   // how the journal and pages show the actor
	Role   Role
	Door   Door
	// Scope limits a business owner to processes and a contact to partnerships;
	// for other roles it is empty.
	Scope []string
	// Verbs limits an API token to some verbs of its owner's role; nil means all.
	Verbs []string
}

// System is the program acting for an organisation, as workers and the command
// line on the node do.
func System(org OrgID, door Door) Actor {
	return Actor{Org: org, Name: "Entente", Role: RoleSystem, Door: door}
}
