// Package h2spec runs the tests of github.com/summerwind/h2spec. It is a module of
// its own so that what they need is no dependency of the server.
package h2spec
