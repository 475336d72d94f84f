module github.com/freshet-stream/freshet

go 1.26
