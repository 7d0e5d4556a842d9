// Package catalog holds the data that ships with the program. It is data only: it
// knows no room, and the command hands it to the rooms as if it came from outside.
//
// The folder demo is the demonstration: the chains of three organisations in the
// format entente.map/1, the bills of materials of the products in them, a handful of
// advisories in the OSV format, and what the organisations tell each other. The organisations and products are
// invented; the packages, versions, advisory ids and ranges are real.
package catalog

import (
	"embed"
	"io/fs"
)

//go:embed demo
var files embed.FS

// Files is the demonstration as files: beanline.yaml, rosthof.yaml, nordhost.yaml,
// the folders sboms, advisories and said.
func Files() fs.FS {
	sub, err := fs.Sub(files, "demo")
	if err != nil {
		panic("catalog: the folder demo is not embedded: " + err.Error())
	}
	return sub
}

// The places inside [Files].
const (
	SBOMs      = "sboms"
	Advisories = "advisories"
)

// Person is somebody who can sign in to the demonstration. The names are functions,
// not people.
type Person struct {
	Name  string
	Email string
	Role  string   // one of the roles of the vocabulary
	Scope []string // the processes of a business owner
}

// Organisation is one organisation of the demonstration with its chain and people;
// the first of them is the owner.
type Organisation struct {
	ID     string
	Name   string
	Map    string // its file in Files; "" for those that only have a seat
	Host   string // on whose node it has a seat; "" for those with a node of their own
	People []Person
}

// Organisations lists who takes part in the demonstration. The first one is the
// company whose day it tells.
func Organisations() []Organisation {
	return []Organisation{
		{ID: "beanline", Name: "Beanline", Map: "beanline.yaml", People: []Person{
			{Name: "Owner", Email: "owner@beanline.example", Role: "owner"},
			{Name: "Security lead", Email: "lead@beanline.example", Role: "security-lead"},
			{Name: "Security analyst", Email: "analyst@beanline.example", Role: "analyst"},
			{Name: "Head of procurement", Email: "procurement@beanline.example", Role: "business-owner", Scope: []string{"bean-procurement"}},
			{Name: "Buyer", Email: "buyer@beanline.example", Role: "procurement"},
			{Name: "Auditor", Email: "auditor@beanline.example", Role: "auditor"},
		}},
		{ID: "rosthof", Name: "Rosthof Wholesale", Map: "rosthof.yaml", People: []Person{
			{Name: "Owner", Email: "owner@rosthof.example", Role: "owner"},
			{Name: "IT on call", Email: "oncall@rosthof.example", Role: "analyst"},
		}},
		{ID: "nordhost", Name: "Nordhost Cloud", Map: "nordhost.yaml", People: []Person{
			{Name: "Owner", Email: "owner@nordhost.example", Role: "owner"},
			{Name: "Network operations", Email: "noc@nordhost.example", Role: "security-lead"},
		}},
		{ID: "casa-verde", Name: "Casa Verde Beans", Host: "nordhost", People: []Person{
			{Name: "Trade desk", Email: "trade@casaverde.example", Role: "owner"},
		}},
		{ID: "aroma-lab", Name: "Aroma Quality Lab", Host: "nordhost", People: []Person{
			{Name: "Laboratory office", Email: "office@aromalab.example", Role: "owner"},
		}},
	}
}
