// Package endurance has the tests of guarantee 7 at full size: that no reader,
// however slow, no stream, however long, and no crowd, however sudden, costs a
// server memory. Servers run in processes of their own, so that nothing but they
// are measured.
//
// How large they are is set by FRESHET_ENDURANCE: "full" is the size of the
// issue that asked for them, which takes a quarter of an hour; else they are as
// small as they can be without losing their point.
package endurance
