def test_rows_that_were_there_before_the_first_start_arrive_through_the_initial_snapshot(installation, workers):
    workers.start("worker-1")
    installation.settle()
    installation.become_right()
    installation.counts_add_up()
