\i function/
