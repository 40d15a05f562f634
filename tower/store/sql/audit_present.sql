-- Which acts on these subjects are recorded already. Parameter: subjects.
SELECT act, subject FROM audit WHERE subject IN {subjects:Array(String)}
