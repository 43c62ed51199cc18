"""Submissions of predictions in, a leaderboard out: rescored, ranked within one signature.

* :mod:`.board`: the leaderboard as data, the only thing that pages read;
* :func:`.collect.collect`: submissions, signed-off reports and published rows -> board;
* :func:`.data_files.data_files`: board -> every table as CSV and JSON, their schema, the feed;
* :func:`.signed_off.sign_off`: scores where gold may not be shared, for boards built elsewhere.
"""
