// Package endurance has the tests of guarantee 7 at full size: that no reader,
// however slow, and no stream, however long, costs a server memory. The server
// runs in a process of its own, so that nothing but it is measured.
//
// How large they are is set by FRESHET_ENDURANCE: "full" is the size of the
// issue that asked for them, which takes a quarter of an hour; else they are as
// small as they can be without losing their point.
package endurance
